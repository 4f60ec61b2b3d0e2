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
        *,
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
            ) as rest_{{ count }}{{ "," if not loop.last }}
        {% endfor %}
    from known

)

select
    {{ period_columns() }},
    scope_type,
    scope_id,
    contact_reason,
    driver,
    band,
    {% for count in counts -%}
        {{ count }},
    {% endfor -%}
    {% for count in counts -%}
        rest_{{ count }}{{ "," if not loop.last }}
    {% endfor %}
from opposed
