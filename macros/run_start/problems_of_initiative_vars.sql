{# Vars of the marts about initiatives that can't be worked with. #}
{% macro problems_of_initiative_vars() %}
    {% set problems = [] %}

    {% set days = var('nps_initiative_days') %}
    {% if days is not integer or days is boolean or days < 7 or days > 366 %}
        {% do problems.append(refused_var('nps_initiative_days', 'a whole number of days, 7-366')) %}
    {% endif %}

    {% set controls = var('nps_initiative_controls') %}
    {% if controls is not integer or controls is boolean or controls < 1 %}
        {% do problems.append(
            refused_var('nps_initiative_controls', 'a whole number of members, 1 or more')
        ) %}
    {% endif %}

    {% do return(problems) %}
{% endmacro %}
