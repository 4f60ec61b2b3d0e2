{{ config(severity='warn') }}
-- What: the drivers of the seed driver_bands are the warehouse's, every one of them.
-- When it matters: a mistyped driver has no answers, the one that was meant no bands.
-- How to resolve: operations correct the row of the seed, or give the driver bands.
with

named as (

    select driver from {{ ref('driver_bands') }}
    group by driver

),

measured as (

    {% for driver in drivers() -%}
        select '{{ driver }}' as driver{{ " union all" if not loop.last }}
    {% endfor %}

)

select coalesce(named.driver, measured.driver) as driver
from named
full outer join measured
    on named.driver = measured.driver
where
    measured.driver is null and named.driver not like {{ evaluation_driver("'%'") }}
    or named.driver is null
