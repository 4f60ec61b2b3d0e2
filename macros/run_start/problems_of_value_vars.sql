{# The same of the vars of the marts about what customers are worth. #}
{% macro problems_of_value_vars() %}
    {% set problems = [] %}

    {% set cost = var('nps_cost_per_hour') %}
    {% if not is_number(cost) or cost < 0 or cost > 1000000000 %}
        {% do problems.append(
            refused_var('nps_cost_per_hour', 'currency units an hour, a number from 0 to 1e9')
        ) %}
    {% endif %}

    {% do return(problems) %}
{% endmacro %}
