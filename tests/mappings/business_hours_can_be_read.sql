-- What: every row of the seed business_hours has times such as 08:30, an end after its beginning
-- and a time zone that exists.
-- When it matters: hours and deadlines of cases can't be computed without.
-- How to resolve: operations correct the row in business_hours.
with

hours as (

    select
        business_hours.*,
        {{ matches('opens_at', '^([01]?[0-9]|2[0-3]):[0-5][0-9]$') }} as opens_at_is_read,
        {{ matches('closes_at', '^(([01]?[0-9]|2[0-3]):[0-5][0-9]|24:00)$') }} as closes_at_is_read
    from {{ ref('business_hours') }} as business_hours

),

zones as (

    {{ known_zones() }}

)

select
    hours.scope_type,
    hours.scope_id,
    hours.weekday,
    hours.opens_at,
    hours.closes_at,
    hours.timezone
from hours
left join zones
    on hours.timezone = zones.zone
where
    coalesce(not hours.opens_at_is_read, true)
    or coalesce(not hours.closes_at_is_read, true)
    or case
        when hours.opens_at_is_read and hours.closes_at_is_read
            then {{ minutes_of_day('hours.opens_at') }} >= {{ minutes_of_day('hours.closes_at') }}
    end
    or (hours.timezone is not null and zones.zone is null)
