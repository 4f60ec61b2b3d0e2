{# Vars of the marts about what customers say that can't be worked with. #}
{% macro problems_of_voice_vars() %}
    {% set problems = [] %}

    {% for name, least in {
        'nps_pain_periods': 2, 'nps_pain_recurring': 1, 'nps_pain_mentions': 1,
    }.items() %}
        {% if var(name) is not integer or var(name) is boolean or var(name) < least %}
            {% do problems.append(refused_var(name, 'a whole number, ' ~ least ~ ' or more')) %}
        {% endif %}
    {% endfor %}

    {% if not problems and var('nps_pain_recurring') > var('nps_pain_periods') %}
        {% do problems.append(
            refused_var('nps_pain_recurring', 'at most nps_pain_periods, ' ~ var('nps_pain_periods'))
        ) %}
    {% endif %}

    {% set weight = var('nps_contradiction_weight') %}
    {% if not is_number(weight) or weight <= 0 %}
        {% do problems.append(refused_var('nps_contradiction_weight', 'a number above 0')) %}
    {% endif %}

    {% do return(problems) %}
{% endmacro %}
