{{ config(materialized='view') }}

with

as_of as (

    select * from {{ ref('as_of') }}

),

scores as (

    select * from {{ ref('trend_scores') }}

),

others as (

    select * from {{ ref('metric_values') }}

),

measured as (

    select
        {{ period_columns() }},
        scope_type,
        scope_id,
        'nps' as metric,
        responses as observations,
        nps as metric_value,
        nps_ci_low as value_ci_low,
        nps_ci_high as value_ci_high
    from scores
    union all
    select
        {{ period_columns() }},
        scope_type,
        scope_id,
        metric,
        observations,
        metric_value,
        value_ci_low,
        value_ci_high
    from others

)

select
    {{ period_columns('measured') }},
    measured.scope_type,
    measured.scope_id,
    measured.metric,
    measured.observations,
    measured.metric_value,
    measured.value_ci_low,
    measured.value_ci_high,
    measured.observations >= {{ var('nps_min_responses') }} as is_reportable,
    {{ lower_is_better('measured.metric') }} as lower_is_better,
    -- A period that is not over is judged by what is in force now.
    least(measured.period_end, as_of.as_of_date) as judged_on
from measured
cross join as_of
where
    measured.scope_type in ('company', 'department')
    and measured.period_type <> 'day'
