-- Which agents moved from one month to the next? Only moves that are more than chance among all
-- that are looked at in a month; where nothing changed, at most one month in twenty shows any.
with

counts as (

    select *
    from {{ ref('period_response_counts') }}
    where
        scope_type = 'agent'
        and period_type = 'month'
        and scope_id <> 'unknown'

),

{{ nps_block_of('counts') }},

neighbours as (

    select
        *,
        lag(period_end) over (
            partition by scope_id, survey_type order by period_start
        ) as before_end,
        lag(nps) over (partition by scope_id, survey_type order by period_start) as before_nps,
        lag(nps_adjusted) over (
            partition by scope_id, survey_type order by period_start
        ) as before_adjusted,
        lag(nps_standard_error) over (
            partition by scope_id, survey_type order by period_start
        ) as before_error,
        lag(is_reportable) over (
            partition by scope_id, survey_type order by period_start
        ) as before_reportable
    from with_block

),

compared as (

    select
        *,
        nps - before_nps as nps_change,
        is_reportable and before_reportable and is_complete as is_comparable,
        {{ difference_z(
            'before_adjusted', 'before_error', 'nps_adjusted', 'nps_standard_error'
        ) }} as z
    from neighbours
    -- A month without answers has no neighbour.
    where {{ plus_days('before_end', 1) }} = period_start

),

tested as (

    select
        *,
        case when is_comparable then {{ two_sided_p('z') }} end as p_value
    from compared

),

{{ benjamini_hochberg('tested', within=['survey_type', 'period_start'], key=['scope_id']) }}

select
    survey_type,
    period_start,
    scope_id as agent_id,
    responses,
    before_nps,
    nps,
    nps_change,
    p_value,
    adjusted_p_value,
    is_comparable,
    {{ verdict('nps_change', 'z', 'adjusted_p_value', 'is_comparable') }} as verdict
from tested_adjusted
order by
    survey_type asc,
    period_start asc,
    agent_id asc
