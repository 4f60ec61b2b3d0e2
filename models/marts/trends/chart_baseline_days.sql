with

days as (

    select * from {{ ref('period_response_counts') }}
    where
        period_type = 'day'
        and scope_type in ({{ trend_scopes() }})

),

windows as (

    select * from {{ ref('baseline_windows') }}
    where is_declared

),

placed as (

    select
        days.*,
        windows.baseline_start,
        windows.baseline_end,
        row_number() over (
            partition by days.scope_type, days.scope_id, days.survey_type
            order by days.period_start
        ) as charted_day
    from days
    left join windows
        on {{ same(scope_key(), 'days', 'windows') }}

)

-- The declared window, else the first charted days.
select
    scope_type,
    scope_id,
    survey_type,
    period_start as charted_on,
    baseline_start is not null as is_declared,
    coalesce(
        baseline_start, min(period_start) over (partition by scope_type, scope_id, survey_type)
    ) as baseline_start,
    coalesce(
        baseline_end, max(period_start) over (partition by scope_type, scope_id, survey_type)
    ) as baseline_end,
    responses,
    promoters,
    passives,
    detractors
from placed
where
    period_start between baseline_start and baseline_end
    or (baseline_start is null and charted_day <= {{ var('nps_chart_baseline_days') }})
