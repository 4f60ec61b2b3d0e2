-- sqlfluff:dialect:postgres
-- (its duckdb dialect does not know grouping sets)
{{ config(
    pre_hook="{{ take_out('period_date', changes_of('fct_survey_responses', 'period_date'), type='date') }}",
    post_hook="{{ note_added('period_date', type='date') }}",
) }}
{% set scopes = score_scopes() %}
{% set keys_of_responses = scopes.values() | sum(start=[]) | unique | list %}

with

responses as (

    select
        {% for key in keys_of_responses -%}
            cast({{ key }} as {{ engine_type('varchar') }}) as {{ key }},
        {% endfor -%}
        period_date,
        survey_type,
        nps_category
    from {{ changed_rows(ref('fct_survey_responses'), 'period_date', type='date') }}

),

{{ counts_by_scope(
    'responses',
    scopes,
    by=['survey_type', 'period_date'],
    measures=category_counts(),
    shown=['responses', 'promoters', 'passives', 'detractors'],
) }}
