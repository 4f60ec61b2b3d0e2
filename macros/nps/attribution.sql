{# Whose an answer is, where several agents had its contact. #}
{% macro attribution_policies() %}
    {% do return(['last_agent', 'first_agent', 'longest_leg', 'shared']) %}
{% endmacro %}

{# Sums of the weights with which answers count for an agent. #}
{% macro attributed_weights() %}
    {% do return([
        'attributed_responses', 'attributed_promoters', 'attributed_passives',
        'attributed_detractors', 'squared_weights',
    ]) %}
{% endmacro %}

{# Kish's effective number of answers, (sum of w)^2 / sum of w^2: that many answers of weight 1 know
   as much. Equal weights give the number of answers. #}
{% macro effective_responses(weights, squared_weights) -%}
    power({{ weights }}, 2) / nullif({{ squared_weights }}, 0)
{%- endmacro %}
