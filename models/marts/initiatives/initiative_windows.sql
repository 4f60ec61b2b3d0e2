{% set most_days = var('nps_initiative_days') %}

with

initiatives as (

    select * from {{ ref('categorized_initiatives') }}

),

as_of as (

    select * from {{ ref('as_of') }}

),

-- A training counts from the day after it: its own days are in neither window. What is switched on
-- counts from its first day, until it is switched off.
planned as (

    select
        *,
        case
            when is_training and ended_on >= started_on
                then cast({{ plus_days('ended_on', 1) }} as date)
            else started_on
        end as after_start,
        case
            when is_training or ended_on is null then {{ most_days }}
            else least({{ most_days }}, {{ days_between('started_on', 'ended_on') }} + 1)
        end as planned_days
    from initiatives

),

placed as (

    -- Both windows are as long as there are answers before and whole days after.
    select
        planned.*,
        least(
            planned.planned_days,
            {{ days_between('as_of.first_response_date', 'planned.started_on') }},
            {{ days_between('planned.after_start', 'as_of.as_of_date') }}
        ) as possible_days,
        coalesce(
            {{ days_between('planned.after_start', 'as_of.as_of_date') }} >= planned.planned_days,
            false
        ) as is_window_over
    from planned
    cross join as_of

),

cut as (

    select
        *,
        case
            when started_on is not null and possible_days >= 1 then cast(possible_days as integer)
        end as window_days
    from placed

)

select
    initiative_id,
    initiative_name,
    scope_type,
    scope_id,
    is_training,
    started_on,
    ended_on,
    is_window_over,
    window_days,
    cast({{ plus_days('started_on', '-window_days') }} as date) as before_start,
    case
        when window_days is not null then cast({{ plus_days('started_on', -1) }} as date)
    end as before_end,
    case when window_days is not null then after_start end as after_start,
    cast({{ plus_days('after_start', 'window_days - 1') }} as date) as after_end,
    -- Initiatives of the same kind and days are counted once for all of them.
    scope_type || ' ' || cast(started_on as {{ engine_type('varchar') }})
    || ' ' || cast(after_start as {{ engine_type('varchar') }})
    || ' ' || cast(window_days as {{ engine_type('varchar') }}) as window_key
from cut
