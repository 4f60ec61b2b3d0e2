-- sqlfluff:dialect:postgres
-- (its duckdb dialect does not know grouping sets)
{% set cell = 'survey_type, month_start, department_id, contact_reason' %}
{% set counts = ['responses', 'promoters', 'passives', 'detractors'] %}

with

cells as {{ materialized() }} (

    select
        survey_type,
        {{ period_start('month', 'period_date') }} as month_start,
        department_id,
        contact_reason,
        driver,
        band,
        {{ category_counts() }}
    from {{ ref('response_bands') }}
    group by
        survey_type,
        {{ period_start('month', 'period_date') }},
        department_id,
        contact_reason,
        driver,
        band

),

-- Every answer has every other driver, so any of them counts all answers.
totals as (

    select
        {{ cell }},
        {{ summed_counts() }}
    from cells
    where driver = '{{ drivers()[0] }}'
    group by {{ cell }}

),

evaluated as (

    select
        {{ cell }},
        driver,
        {{ summed_counts() }}
    from cells
    where driver like {{ evaluation_driver("'%'") }}
    group by {{ cell }}, driver

),

criteria as (

    select driver from evaluated
    group by driver

),

-- The answers whose contact was not evaluated by a criterion: all less those that were.
unevaluated as (

    select
        {{ prefixed(cell.split(', '), 'totals') }},
        criteria.driver,
        'unknown' as band,
        totals.responses - coalesce(evaluated.responses, 0) as responses,
        totals.promoters - coalesce(evaluated.promoters, 0) as promoters,
        totals.passives - coalesce(evaluated.passives, 0) as passives,
        totals.detractors - coalesce(evaluated.detractors, 0) as detractors
    from totals
    cross join criteria
    left join evaluated
        on
            criteria.driver = evaluated.driver
            and {{ same(cell.split(', '), 'totals', 'evaluated') }}

),

every_cell as (

    select * from cells
    union all
    select * from unevaluated
    where responses > 0

),

{{ counts_by_scope(
    'every_cell',
    driver_scopes(),
    by=['survey_type', 'month_start', 'contact_reason', 'driver', 'band'],
    measures=summed_counts(),
    shown=counts,
) }}
