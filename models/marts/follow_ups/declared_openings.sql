with

calendar_hours as (

    select * from {{ ref('calendar_hours') }}

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

),

placed as (

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

)

-- Two skipped times can move to the same instants.
select
    calendar_id,
    opens_at,
    closes_at
from placed
group by calendar_id, opens_at, closes_at
