with

calendars as (

    select
        calendar_id,
        calendar_department_id,
        hours_department_id
    from {{ ref('business_calendars') }}
    group by calendar_id, calendar_department_id, hours_department_id

),

weekly as (

    select
        *,
        case when scope_type = 'department' then scope_id end as department_id
    from {{ ref('business_hours') }}
    where scope_type = 'company' or scope_id is not null

),

weekdays as (

    {% for weekday in range(1, 8) -%}
        select {{ weekday }} as weekday{{ " union all" if not loop.last }}
    {% endfor %}

),

every_opening as (

    select
        calendars.calendar_id,
        weekly.weekday,
        {{ minutes_of_day('weekly.opens_at') }} as opening_minute,
        {{ minutes_of_day('weekly.closes_at') }} as closing_minute,
        coalesce(weekly.timezone, '{{ var("nps_timezone") }}') as timezone
    from calendars
    inner join weekly
        on calendars.hours_department_id is not distinct from weekly.department_id
    union all
    -- Without any hours work goes on around the clock.
    select
        calendars.calendar_id,
        weekdays.weekday,
        0 as opening_minute,
        24 * 60 as closing_minute,
        '{{ var("nps_timezone") }}' as timezone
    from calendars
    cross join weekdays
    left join weekly
        on calendars.hours_department_id is not distinct from weekly.department_id
    where weekly.scope_type is null

)

-- 9:00 and 09:00 are one time.
select
    calendar_id,
    weekday,
    opening_minute,
    closing_minute,
    timezone
from every_opening
group by calendar_id, weekday, opening_minute, closing_minute, timezone
