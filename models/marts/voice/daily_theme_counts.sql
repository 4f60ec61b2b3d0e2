-- sqlfluff:dialect:postgres
-- (its duckdb dialect does not know grouping sets)
{% set scopes = scopes_named(['company', 'department']) %}

with

mentions as (

    select * from {{ ref('said_themes') }}

),

responses as (

    select * from {{ ref('fct_survey_responses') }}
    where comment is not null

),

-- Comments are counted beside what they say, as those of no theme: the whole a share is of.
counted_rows as (

    select
        department_id,
        survey_type,
        period_date,
        theme,
        nps_category
    from mentions
    union all
    select
        department_id,
        survey_type,
        period_date,
        '' as theme,
        nps_category
    from responses

),

{{ counts_by_scope(
    'counted_rows',
    scopes,
    by=['survey_type', 'period_date', 'theme'],
    measures=category_counts(),
    shown=['responses', 'promoters', 'passives', 'detractors'],
) }}
