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

    {% set least = {
        'nps_min_responses': 1, 'nps_min_stratum_responses': 1, 'nps_most_tie_groups': 2,
    } %}
    {% for name, at_least in least.items() %}
        {% if var(name) is not integer or var(name) < at_least %}
            {% do problems.append(refused_var(name, 'a whole number, ' ~ at_least ~ ' or more')) %}
        {% endif %}
    {% endfor %}

    {% set precision = var('nps_precision_points') %}
    {% if precision is not number or precision <= 0 or precision > 100 %}
        {% do problems.append(
            refused_var('nps_precision_points', 'points, more than 0 and at most 100')
        ) %}
    {% endif %}

    {% for name in ['nps_benchmark_industry', 'nps_benchmark_region'] %}
        {% if var(name) is not string %}
            {% do problems.append(refused_var(name, 'a text of the seed nps_benchmarks')) %}
        {% endif %}
    {% endfor %}

    {% set fiscal_month = var('nps_fiscal_year_start_month') %}
    {% if fiscal_month is not integer or fiscal_month < 1 or fiscal_month > 12 %}
        {% do problems.append(refused_var('nps_fiscal_year_start_month', 'a month, 1-12')) %}
    {% endif %}

    {% if var('agent_identity') == 'pseudonym' %}
        {# Asked of the connection: dbt keeps what it reads of the environment in its artifacts. #}
        {% if not run_query('select ' ~ has_agent_salt()).rows[0][0] %}
            {% do problems.append(
                'agent_identity is pseudonym, and the environment variable NPS_AGENT_SALT is empty: '
                ~ 'without a secret salt a pseudonym can be turned back by trying every agent id.'
            ) %}
        {% endif %}
    {% endif %}

    {% for name in adapters() if var(name) is not none %}
        {% if not modules.re.match('^[A-Za-z_][A-Za-z0-9_]*$', var(name) | string) %}
            {% do problems.append(refused_var(name, 'the name of a schema, or null')) %}
        {% endif %}
        {% if not env_var('NPS_RAW_DIR', '') %}
            {% do problems.append(
                name ~ ' is set, and NPS_RAW_DIR is not: the sample would be counted with your own '
                ~ 'data. NPS_RAW_DIR must name the folder of the raw tables that no adapter brings.'
            ) %}
        {% endif %}
    {% endfor %}

    {% do return(problems + problems_of_survey_vars() + problems_of_retention()) %}
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
