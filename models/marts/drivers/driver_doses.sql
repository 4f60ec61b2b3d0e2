{% set set_of_bands = 'scope_type, scope_id, survey_type, period_type, period_start, driver' %}

with

-- Whole numbers: the order of a band, and an answer as -1, 0 or 1.
reasons as (

    select
        {{ set_of_bands }},
        contact_reason,
        sum(responses) as n,
        sum(responses * band_order) as x,
        sum(responses * band_order * band_order) as xx,
        sum(promoters - detractors) as y,
        sum((promoters - detractors) * band_order) as xy,
        sum(promoters + detractors) as yy
    from {{ ref('driver_sides') }}
    group by {{ set_of_bands }}, contact_reason

),

pooled as (

    select
        {{ set_of_bands }},
        cast(sum(n) as bigint) as n,
        count(*) as reasons,
        {{ centred_products('sum(xx)', 'sum(x)', 'sum(x)', 'sum(n)') }} as xx,
        {{ centred_products('sum(xy)', 'sum(x)', 'sum(y)', 'sum(n)') }} as xy,
        {{ centred_products('sum(yy)', 'sum(y)', 'sum(y)', 'sum(n)') }} as yy,
        {{ sum_of_doubles(centred_products('xx', 'x', 'x', 'n')) }} as within_xx,
        {{ sum_of_doubles(centred_products('xy', 'x', 'y', 'n')) }} as within_xy,
        {{ sum_of_doubles(centred_products('yy', 'y', 'y', 'n')) }} as within_yy
    from reasons
    group by {{ set_of_bands }}

),

sloped as (

    select
        {{ set_of_bands }},
        n,
        {{ slope_of('xx', 'xy') }} as slope,
        {{ slope_standard_error('xx', 'xy', 'yy', '(n - 2)') }} as slope_error,
        {{ slope_of('within_xx', 'within_xy') }} as within_slope,
        {{ slope_standard_error('within_xx', 'within_xy', 'within_yy', '(n - reasons - 1)') }}
            as within_slope_error
    from pooled

)

select
    {{ set_of_bands }},
    {% for prefix, of in {'': '', 'within_reason_': 'within_'}.items() -%}
        {{ of }}slope as {{ prefix }}dose_slope,
        {{ of }}slope - {{ normal_quantile_95() }} * {{ of }}slope_error
            as {{ prefix }}dose_slope_ci_low,
        {{ of }}slope + {{ normal_quantile_95() }} * {{ of }}slope_error
            as {{ prefix }}dose_slope_ci_high,
        case
            when n >= {{ var('nps_min_responses') }}
                then {{ two_sided_p('(' ~ of ~ 'slope / ' ~ of ~ 'slope_error)') }}
        end as {{ prefix }}dose_p_value,
    {% endfor -%}
    n as banded_responses
from sloped
