with

windows as (

    select * from {{ ref('initiative_windows') }}
    where window_key is not null

),

days as (

    select * from {{ ref('initiative_days') }}

),

scope_days as (

    select * from {{ ref('initiative_scope_days') }}

),

controls as (

    select * from {{ ref('initiative_controls') }}

),

sides as (

    select
        initiative_id,
        window_key,
        scope_type,
        scope_id,
        false as is_control
    from windows
    where {{ is_a_member('scope_id') }}
    union all
    select
        controls.initiative_id,
        windows.window_key,
        controls.scope_type,
        controls.control_id as scope_id,
        true as is_control
    from controls
    inner join windows
        on controls.initiative_id = windows.initiative_id

),

counted as (

    select
        sides.initiative_id,
        scope_days.survey_type,
        sides.is_control,
        days.window_number,
        {{ summed_counts('scope_days') }}
    from sides
    inner join scope_days
        on
            sides.scope_type = scope_days.scope_type
            and sides.scope_id = scope_days.scope_id
    inner join days
        on
            sides.window_key = days.window_key
            and scope_days.period_date = days.date_day
    group by
        sides.initiative_id,
        scope_days.survey_type,
        sides.is_control,
        days.window_number

)

select * from counted
union all
select
    initiative_id,
    'all' as survey_type,
    is_control,
    window_number,
    {{ summed_counts() }}
from counted
group by initiative_id, is_control, window_number
