with

windows as (

    select * from {{ ref('initiative_windows') }}
    where window_key is not null

),

members as (

    select * from {{ ref('initiative_member_windows') }}

),

-- Members with an initiative of their own in the windows are no control, the treated one itself
-- among them.
barred as (

    select
        windows.initiative_id,
        touches.scope_id
    from windows
    inner join {{ ref('initiative_touches') }} as touches
        on
            windows.scope_type = touches.scope_type
            and windows.after_end >= touches.started_on
            and windows.before_start <= touches.touched_until
    group by windows.initiative_id, touches.scope_id

),

compared as (

    -- A department of another level would hold answers of another control, or of the treated one.
    select
        windows.initiative_id,
        windows.scope_type,
        windows.scope_id,
        candidates.scope_id as control_id,
        candidates.history_responses,
        candidates.history_nps,
        candidates.history_nps - treated.history_nps as level_difference,
        coalesce(candidates.history_slope - treated.history_slope, 0) as trend_difference
    from windows
    inner join members as treated
        on
            windows.window_key = treated.window_key
            and windows.scope_id = treated.scope_id
    inner join members as candidates
        on windows.window_key = candidates.window_key
    left join barred
        on
            windows.initiative_id = barred.initiative_id
            and candidates.scope_id = barred.scope_id
    left join {{ ref('dim_departments') }} as own_department
        on
            windows.scope_type = 'department'
            and windows.scope_id = own_department.department_id
    left join {{ ref('dim_departments') }} as other_department
        on
            windows.scope_type = 'department'
            and candidates.scope_id = other_department.department_id
    where
        barred.scope_id is null
        and candidates.before_responses > 0
        and candidates.after_responses > 0
        and candidates.history_responses >= {{ var('nps_min_responses') }}
        and treated.history_responses > 0
        and coalesce(own_department.department_level = other_department.department_level, true)

),

ranked as (

    select
        *,
        sqrt(power(level_difference, 2) + power(trend_difference, 2)) as distance,
        row_number() over (
            partition by initiative_id
            order by power(level_difference, 2) + power(trend_difference, 2), control_id
        ) as control_rank
    from compared

)

select
    initiative_id,
    control_rank,
    scope_type,
    control_id,
    history_responses,
    history_nps,
    level_difference,
    trend_difference,
    distance
from ranked
where control_rank <= {{ var('nps_initiative_controls') }}
