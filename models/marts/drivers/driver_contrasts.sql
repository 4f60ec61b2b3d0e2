{% set own = ['detractors', 'passives', 'promoters'] %}
{% set family = ['survey_type', 'period_type', 'period_start', 'scope_type'] %}
{% set key = 'scope_type, scope_id, driver, band' %}

with

-- A reason in which the driver has one band alone holds nobody of the rest; over all reasons it
-- counts among them.
bands as (

    select
        {{ period_columns() }},
        {{ key }},
        {{ summed_counts() }}
    from {{ ref('driver_sides') }}
    group by {{ period_columns() }}, {{ key }}

),

known as (

    select
        {% for count in ['responses'] + own -%}
            cast(
                sum({{ count }}) over (
                    partition by {{ family | join(', ') }}, scope_id, driver
                ) - {{ count }} as bigint
            ) as rest_{{ count }},
        {% endfor -%}
        *
    from bands

),

{{ against_the_rest('known') }},

{{ benjamini_hochberg('known_compared', within=family, key=['scope_id', 'driver', 'band']) }}

select
    {{ period_columns() }},
    {{ key }},
    rest_responses,
    rest_nps,
    nps - rest_nps as difference_from_rest,
    middle - half_width as difference_ci_low,
    middle + half_width as difference_ci_high,
    p_value,
    adjusted_p_value,
    {{ verdict(
        'nps - rest_nps', 'z', 'adjusted_p_value',
        is_comparable='is_complete and p_value is not null',
    ) }} as verdict
from known_compared_adjusted
