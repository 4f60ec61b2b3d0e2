{% set own = ['detractors', 'passives', 'promoters'] %}
{% set rest = ['rest_detractors', 'rest_passives', 'rest_promoters'] %}
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

scored as (

    select
        *,
        {{ nps(*own) }} as nps,
        {{ nps(*rest) }} as rest_nps,
        {{ nps_adjusted(*own) }} as nps_adjusted,
        {{ nps_standard_error(*own) }} as nps_error,
        -- Of nobody there is none.
        case when rest_responses > 0 then {{ nps_adjusted(*rest) }} end as rest_adjusted,
        {{ nps_standard_error(*rest) }} as rest_error,
        least(responses, rest_responses) >= {{ var('nps_min_responses') }} as is_comparable
    from known

),

compared as (

    select
        *,
        nps_adjusted - rest_adjusted as middle,
        {{ normal_quantile_95() }}
        * {{ difference_standard_error('rest_error', 'nps_error') }} as half_width,
        {{ difference_z('rest_adjusted', 'rest_error', 'nps_adjusted', 'nps_error') }} as z
    from scored

),

tested as (

    select
        *,
        case when is_comparable then {{ two_sided_p('z') }} end as p_value
    from compared

),

{{ benjamini_hochberg('tested', within=family, key=['scope_id', 'driver', 'band']) }}

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
from tested_adjusted
