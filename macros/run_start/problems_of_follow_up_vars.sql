{# Vars of the marts about follow-ups that can't be worked with. #}
{% macro problems_of_follow_up_vars() %}
    {% set problems = [] %}
    {% for name in ['nps_repeat_detractor_days', 'nps_recovery_days'] %}
        {% if var(name) is not integer or var(name) is boolean or var(name) < 1 %}
            {% do problems.append(refused_var(name, 'a whole number of days, 1 or more')) %}
        {% endif %}
    {% endfor %}
    {% do return(problems) %}
{% endmacro %}
