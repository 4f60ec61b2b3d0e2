{% set keys = 'survey_type, period_type, period_start, value_move' %}
{% set sides = ['succeeded', 'failed'] %}

with

strata as (

    select
        *,
        -- Of one customer no spread is known.
        case
            when succeeded_customers > 1 and failed_customers > 1
                then succeeded_customers + failed_customers
        end as weight
    from {{ ref('value_move_strata') }}

),

weighted as (

    select
        *,
        cast(weight as {{ double_type() }}) / sum(weight) over (partition by {{ keys }})
            as weight_share
    from strata

),

pooled as (

    select
        {{ keys }},
        {% for side in sides -%}
            cast(sum({{ side }}_customers) as bigint) as {{ side }}_customers,
            {{ summed_values(side) }},
        {% endfor -%}
        cast(coalesce(sum(weight), 0) as bigint) as compared_customers,
        {{ sum_of_doubles('weight_share * (succeeded_mean - failed_mean)') }}
            as within_segment_difference,
        1000 * sqrt({{ sum_of_doubles('power(weight_share * ' ~ difference_standard_error(
            'succeeded_standard_error', 'failed_standard_error'
        ) ~ ' / 1000, 2)') }}) as within_segment_standard_error
    from weighted
    group by {{ keys }}

)

select
    {{ keys.split(', ') | join(',
    ') }},
    {% for side in sides -%}
        {{ side }}_customers,
        {{ value_mean(side, side ~ '_customers') }} as {{ side }}_value_mean,
    {% endfor -%}
    {{ value_mean('succeeded', 'succeeded_customers') }}
    - {{ value_mean('failed', 'failed_customers') }} as value_difference,
    {{ difference_standard_error(
        value_standard_error('succeeded', 'succeeded_customers'),
        value_standard_error('failed', 'failed_customers'),
    ) }} as value_difference_standard_error,
    compared_customers,
    within_segment_difference,
    within_segment_standard_error
from pooled
