{% set own = ['detractors', 'passives', 'promoters'] %}
{% set rest = ['rest_detractors', 'rest_passives', 'rest_promoters'] %}
{% set family = ['survey_type', 'period_type', 'period_start', 'scope_type'] %}
{% set key = 'scope_type, scope_id, driver, band' %}

with

strata as (

    select
        *,
        {{ nps(*own) }} - {{ nps(*rest) }} as difference,
        {{ stratum_weight('responses', 'rest_responses') }} as weight,
        {{ answer_deviations(*own) }} as deviations,
        {{ answer_deviations(*rest) }} as rest_deviations
    from {{ ref('driver_sides') }}
    -- A reason with one side alone compares nothing.
    where rest_responses > 0

),

pooled as (

    select
        {{ period_columns() }},
        {{ key }},
        count(*) as reasons,
        {{ summed_bigints(['responses', 'rest_responses']) }},
        {{ sum_of_doubles('weight') }} as weights,
        {{ sum_of_doubles('weight * difference') }} as weighted_differences,
        {{ sum_of_doubles('deviations') }} as deviations,
        {{ sum_of_doubles('rest_deviations') }} as rest_deviations,
        {{ sum_of_doubles('weight * weight / responses') }} as spread,
        {{ sum_of_doubles('weight * weight / rest_responses') }} as rest_spread
    from strata
    group by {{ period_columns() }}, {{ key }}

),

compared as (

    select
        *,
        weighted_differences / weights as difference,
        100 * sqrt(
            {{ variance_within('deviations', '(responses - reasons)') }} * spread
            + {{ variance_within('rest_deviations', '(rest_responses - reasons)') }} * rest_spread
        ) / weights as standard_error,
        least(responses, rest_responses) >= {{ var('nps_min_responses') }} as is_comparable
    from pooled

),

tested as (

    select
        *,
        difference / standard_error as z,
        case when is_comparable then {{ two_sided_p('(difference / standard_error)') }} end
            as p_value
    from compared

),

{{ benjamini_hochberg('tested', within=family, key=['scope_id', 'driver', 'band']) }}

select
    {{ period_columns() }},
    {{ key }},
    reasons,
    responses as compared_responses,
    rest_responses as compared_rest_responses,
    difference as within_reason_difference,
    standard_error as within_reason_standard_error,
    greatest(-200.0, difference - {{ normal_quantile_95() }} * standard_error)
        as within_reason_ci_low,
    least(200.0, difference + {{ normal_quantile_95() }} * standard_error)
        as within_reason_ci_high,
    p_value as within_reason_p_value,
    adjusted_p_value as within_reason_adjusted_p_value,
    {{ verdict(
        'difference', 'z', 'adjusted_p_value',
        is_comparable='is_complete and p_value is not null',
    ) }} as within_reason_verdict
from tested_adjusted
