-- sqlfluff:dialect:postgres
-- (its duckdb dialect does not know grouping sets)
{% set scopes = score_scopes() %}
{% set keys_of_responses = scopes.values() | sum(start=[]) | unique | list %}

with

responses as (

    select
        {% for key in keys_of_responses -%}
            cast({{ key }} as {{ dbt.type_string() }}) as {{ key }},
        {% endfor -%}
        period_date,
        survey_type,
        nps_category
    from {{ ref('fct_survey_responses') }}

),

{{ counts_by_scope(
    'responses',
    scopes,
    by=['survey_type', 'period_date'],
    measures=category_counts(),
    shown=['responses', 'promoters', 'passives', 'detractors'],
) }}
