with

calendars as (

    select
        calendar_id,
        calendar_department_id
    from {{ ref('business_calendars') }}
    group by calendar_id, calendar_department_id

)

-- Those of the company, and those of the departments above.
select
    calendars.calendar_id,
    holidays.holiday_on as date_day
from calendars
cross join {{ ref('holidays') }} as holidays
left join {{ ref('department_ancestors') }} as paths
    on
        calendars.calendar_department_id = paths.department_id
        and holidays.scope_id = paths.ancestor_id
where holidays.scope_type = 'company' or paths.ancestor_id is not null
group by calendars.calendar_id, holidays.holiday_on
