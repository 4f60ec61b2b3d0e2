{{ config(materialized='view') }}

{% set shown = [
    'response_id', 'survey_type', 'period_date', 'department_id', 'contact_reason', 'nps_category',
    'nps_contribution',
] %}

with

responses as (

    select * from {{ ref('response_drivers') }}

),

evaluations as (

    select * from {{ ref('response_evaluations') }}

),

ranges as (

    select * from {{ ref('driver_band_ranges') }}

),

valued as (

    {% for driver in drivers() -%}
        select
            {{ shown | join(', ') }},
            '{{ driver }}' as driver,
            {{ driver }} as driver_value
        from responses
        union all
    {% endfor -%}
    select
        {{ shown | join(', ') }},
        driver,
        evaluation_score as driver_value
    from evaluations

)

select
    {% for column in shown -%}
        valued.{{ column }},
    {% endfor -%}
    valued.driver,
    valued.driver_value,
    coalesce(ranges.band, 'unknown') as band,
    ranges.band_order
from valued
-- Bands of a driver do not overlap, so this join finds at most one; none for no value.
left join ranges
    on
        valued.driver = ranges.driver
        and valued.driver_value > ranges.above
        and valued.driver_value <= ranges.up_to
