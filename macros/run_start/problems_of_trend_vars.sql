{# Vars of control charts and baselines that can't be worked with. #}
{% macro problems_of_trend_vars() %}
    {% set problems = [] %}

    {% set days = var('nps_chart_baseline_days') %}
    {% if days is not integer or days < 20 %}
        {% do problems.append(
            refused_var('nps_chart_baseline_days', 'a whole number of days, 20 or more')
        ) %}
    {% endif %}

    {% set weight = var('nps_ewma_weight') %}
    {% if weight is not number or weight <= 0 or weight >= 1 %}
        {% do problems.append(refused_var('nps_ewma_weight', 'a number between 0 and 1')) %}
    {% endif %}

    {% for name in ['nps_ewma_limit', 'nps_cusum_slack', 'nps_cusum_limit'] %}
        {% if var(name) is not number or var(name) <= 0 %}
            {% do problems.append(refused_var(name, 'a number above 0')) %}
        {% endif %}
    {% endfor %}

    {% do return(problems) %}
{% endmacro %}
