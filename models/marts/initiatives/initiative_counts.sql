with

sides as (

    select * from {{ ref('initiative_sides') }}

),

days as (

    select * from {{ ref('initiative_days') }}

),

scope_days as (

    select * from {{ ref('initiative_scope_days') }}

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
