{{ config(materialized='view') }}

{% set counts = ['responses', 'promoters', 'passives', 'detractors'] %}

with

known as (

    select * from {{ ref('period_driver_counts') }}
    -- An answer of which nobody knows the driver is no one's other side.
    where band <> 'unknown'

),

opposed as (

    select
        {% for count in counts -%}
            cast(
                sum({{ count }}) over (
                    partition by
                        scope_type,
                        scope_id,
                        survey_type,
                        period_type,
                        period_start,
                        contact_reason,
                        driver
                ) - {{ count }} as bigint
            ) as rest_{{ count }},
        {% endfor -%}
        *
    from known

)

select
    {{ period_columns('opposed') }},
    opposed.scope_type,
    opposed.scope_id,
    opposed.contact_reason,
    opposed.driver,
    opposed.band,
    ranges.band_order,
    ranges.performance,
    {{ prefixed(counts, 'opposed') }},
    opposed.rest_responses,
    opposed.rest_promoters,
    opposed.rest_passives,
    opposed.rest_detractors
from opposed
inner join {{ ref('driver_band_ranges') }} as ranges
    on
        opposed.driver = ranges.driver
        and opposed.band = ranges.band
