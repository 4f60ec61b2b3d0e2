{% set shared = evaluation_driver("'*'") %}

with

bands as (

    select
        {{ trimmed('driver') }} as driver,
        {{ trimmed('band') }} as band,
        -- An open end is the end of all numbers, so that a look-up needs no `or`.
        coalesce(above, {{ double_literal('-1e308') }}) as above,
        coalesce(up_to, {{ double_literal('1e308') }}) as up_to,
        {{ trimmed('performance') }} as performance
    from {{ ref('driver_bands') }}

),

-- A criterion with bands of its own has these; the others share those of all evaluations.
sharing as (

    select evaluations.driver
    from {{ ref('response_evaluations') }} as evaluations
    left join bands
        on evaluations.driver = bands.driver
    where bands.driver is null
    group by evaluations.driver

),

ranges as (

    select * from bands
    where driver <> {{ shared }}
    union all
    select
        sharing.driver,
        bands.band,
        bands.above,
        bands.up_to,
        bands.performance
    from bands
    cross join sharing
    where bands.driver = {{ shared }}

)

select
    driver,
    band,
    row_number() over (
        partition by driver
        order by above, up_to, band
    ) as band_order,
    above,
    up_to,
    performance
from ranges
