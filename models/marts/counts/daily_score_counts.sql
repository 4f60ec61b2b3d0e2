-- sqlfluff:dialect:postgres
-- (its duckdb dialect does not know grouping sets)
{% set scopes = single_scopes() %}
{% set keys_of_responses = scopes.values() | sum(start=[]) | unique | list %}

with

responses as (

    select
        {% for key in keys_of_responses -%}
            {{ key }},
        {% endfor -%}
        period_date,
        survey_type,
        score,
        csat_score,
        effort_score
    from {{ ref('fct_survey_responses') }}

),

{{ counts_by_scope(
    'responses',
    scopes,
    by=['survey_type', 'period_date'],
    measures=counts_by_answer(),
    shown=['responses'] + answer_count_columns(),
) }}
