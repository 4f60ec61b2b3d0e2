{# What a score is made by besides the answers: a change of any of it is a new metric version. #}

{# Vars that decide what is counted, when, and what is shown of it. Others (as_of, retention, how
   agents are shown, thresholds of single marts) change no score. #}
{% macro definition_vars() %}
    {% do return([
        'nps_timezone', 'nps_period_basis', 'nps_earliest', 'nps_latest', 'nps_min_responses',
        'nps_fiscal_year_start_month', 'qualtrics_nps_question', 'zendesk_score_field',
    ]) %}
{% endmacro %}

{# Those of them that date an answer: where one has changed, another date is no correction. #}
{% macro dating_vars() -%}
    'nps_timezone', 'nps_period_basis'
{%- endmacro %}

{# Why a published number moved, in the order in which the reasons are shown, with the sign by which
   each enters it. #}
{% macro restatement_reasons() %}
    {% do return({
        'late': 1, 'corrected_in': 1, 'corrected_out': -1, 'deleted': -1, 'definition_in': 1,
        'definition_out': -1,
    }) %}
{% endmacro %}

{# What is counted for each reason. #}
{% macro restated_counts() %}
    {% do return(['responses', 'promoters', 'passives', 'detractors']) %}
{% endmacro %}

{# Names of all counts of movements: late_responses, …. #}
{% macro movement_columns() %}
    {% set columns = [] %}
    {% for reason in restatement_reasons() %}
        {% for count in restated_counts() %}
            {% do columns.append(reason ~ '_' ~ count) %}
        {% endfor %}
    {% endfor %}
    {% do return(columns) %}
{% endmacro %}

{# What the movements of a row add to a count. #}
{% macro net_movement(count) -%}
    {%- for reason, sign in restatement_reasons().items() -%}
        {{ ('+ ' if sign > 0 else '- ') if not loop.first }}{{ reason }}_{{ count }}
        {{- " " if not loop.last }}
    {%- endfor -%}
{%- endmacro %}
