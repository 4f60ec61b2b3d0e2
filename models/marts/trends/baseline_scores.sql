with

days as (

    select * from {{ ref('period_response_counts') }}
    where
        period_type = 'day'
        and scope_type in ({{ trend_scopes() }})

),

windows as (

    select * from {{ ref('baseline_windows') }}

),

as_of as (

    select * from {{ ref('as_of') }}

),

counts as (

    select
        windows.scope_type,
        windows.scope_id,
        windows.survey_type,
        windows.is_declared,
        windows.baseline_start,
        windows.baseline_end,
        windows.baseline_end < as_of.as_of_date as is_complete,
        {{ summed_counts('days') }}
    from windows
    inner join days
        on
            {{ same(scope_key(), 'windows', 'days') }}
            and windows.baseline_start <= days.period_start
            and windows.baseline_end >= days.period_start
    cross join as_of
    group by
        windows.scope_type,
        windows.scope_id,
        windows.survey_type,
        windows.is_declared,
        windows.baseline_start,
        windows.baseline_end,
        windows.baseline_end < as_of.as_of_date

),

{{ nps_block_of('counts') }}

select
    scope_type,
    scope_id,
    survey_type,
    is_declared,
    baseline_start,
    baseline_end,
    is_complete,
    {{ nps_block() }},
    nps_adjusted
from with_block
