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

),

calendar_hours as (

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
        days.weekday,
        0 as opening_minute,
        24 * 60 as closing_minute,
        '{{ var("nps_timezone") }}' as timezone
    from calendars
    cross join ({% for weekday in range(1, 8) %}select {{ weekday }} as weekday
        {{- " union all " if not loop.last }}{% endfor %}) as days
    left join weekly
        on calendars.hours_department_id is not distinct from weekly.department_id
    where weekly.scope_type is null

),

-- To 400 days past the last date known, for deadlines; two before the first, for other zones.
dates as (

    {% for days in [-2, 200, 400] -%}
        select cast({{ plus_days('date_day', days) }} as date) as date_day
        from {{ ref('dim_dates') }}
        {{ "union all" if not loop.last }}
    {% endfor %}

),

every_date as (

    select
        date_day,
        {{ iso_weekday('date_day') }} as weekday
    from dates
    group by date_day

)

select
    calendar_hours.calendar_id,
    {{ zone_time_to_utc(
        'calendar_hours.timezone',
        plus_minutes('cast(every_date.date_day as timestamp)', 'calendar_hours.opening_minute')
    ) }} as opens_at,
    {{ zone_time_to_utc(
        'calendar_hours.timezone',
        plus_minutes('cast(every_date.date_day as timestamp)', 'calendar_hours.closing_minute')
    ) }} as closes_at
from calendar_hours
inner join every_date
    on calendar_hours.weekday = every_date.weekday
left join {{ ref('calendar_holidays') }} as calendar_holidays
    on
        calendar_hours.calendar_id = calendar_holidays.calendar_id
        and every_date.date_day = calendar_holidays.date_day
where calendar_holidays.date_day is null
