{# Every var that can't be worked with, each as a sentence: which var, what it is, what it may be. #}
{% macro problems_of_vars() %}
    {% set problems = [] %}

    {% if var('nps_timezone') not in modules.pytz.all_timezones %}
        {% do problems.append(refused_var('nps_timezone', 'an IANA zone such as Europe/Berlin')) %}
    {% endif %}

    {% for name in ['nps_earliest', 'nps_latest', 'as_of'] %}
        {% if (name != 'as_of' or var(name) is not none) and parsed_var_instant(name) is none %}
            {% do problems.append(refused_var(name, 'an ISO 8601 date or timestamp')) %}
        {% endif %}
    {% endfor %}

    {% set words = {
        'nps_period_basis': ['responded', 'contact', 'invitation'],
        'agent_identity': ['name', 'pseudonym', 'none'],
    } %}
    {% for name, allowed in words.items() %}
        {% if var(name) not in allowed %}
            {% do problems.append(refused_var(name, allowed | join(', '))) %}
        {% endif %}
    {% endfor %}

    {% if var('nps_min_responses') is not integer or var('nps_min_responses') < 1 %}
        {% do problems.append(refused_var('nps_min_responses', 'a whole number, 1 or more')) %}
    {% endif %}

    {% set fiscal_month = var('nps_fiscal_year_start_month') %}
    {% if fiscal_month is not integer or fiscal_month < 1 or fiscal_month > 12 %}
        {% do problems.append(refused_var('nps_fiscal_year_start_month', 'a month, 1-12')) %}
    {% endif %}

    {% if var('agent_identity') == 'pseudonym' and not env_var('NPS_AGENT_SALT', '') %}
        {% do problems.append(
            'agent_identity is pseudonym, and the environment variable NPS_AGENT_SALT is empty: '
            ~ 'without a secret salt a pseudonym can be turned back by trying every agent id.'
        ) %}
    {% endif %}

    {% do return(problems + problems_of_retention()) %}
{% endmacro %}

{% macro problems_of_retention() %}
    {% set months = var('nps_retention_months') %}
    {% set tables = retention_columns() %}
    {% if months is not mapping %}
        {% do return([refused_var('nps_retention_months', 'months by raw table, or {}')]) %}
    {% endif %}
    {% set problems = [] %}
    {% for table, kept in months.items() %}
        {% if table not in tables or kept is not integer or kept is boolean or kept < 1 %}
            {% do problems.append(refused_var(
                'nps_retention_months',
                'whole months, 1 or more, for any of ' ~ tables | join(', ') ~ ' (' ~ table ~ ')'
            )) %}
        {% endif %}
    {% endfor %}
    {% if months and var('as_of') is none %}
        {% do problems.append(
            'nps_retention_months is given and as_of is not: name the day from which ages count.'
        ) %}
    {% endif %}
    {% do return(problems) %}
{% endmacro %}

{% macro refused_var(name, expected) %}
    {% do return('var ' ~ name ~ ' is "' ~ var(name) ~ '"; it must be ' ~ expected ~ '.') %}
{% endmacro %}
