{% set key = ['scope_type', 'scope_id', 'survey_type', 'period_type', 'period_start', 'driver'] %}
{% set crude = [
    'rest_responses', 'rest_nps', 'difference_from_rest', 'difference_ci_low',
    'difference_ci_high', 'p_value', 'adjusted_p_value',
] %}
{% set within_reason = [
    'reasons', 'compared_responses', 'compared_rest_responses', 'within_reason_difference',
    'within_reason_standard_error', 'within_reason_ci_low', 'within_reason_ci_high',
    'within_reason_p_value', 'within_reason_adjusted_p_value',
] %}
{% set of_driver = ['penalty', 'reward', 'dose_slope', 'importance_pct', 'importance_rank'] %}

with

counts as (

    select
        {{ period_columns() }},
        scope_type,
        scope_id,
        driver,
        band,
        {{ summed_counts() }}
    from {{ ref('period_driver_counts') }}
    group by
        {{ period_columns() }},
        scope_type,
        scope_id,
        driver,
        band

),

{{ nps_block_of('counts') }},

effects as (

    select
        {{ (key + of_driver) | join(',
        ') }},
        responses as scope_responses
    from {{ ref('nps_driver_effects') }}

)

select
    {{ period_columns('with_block') }},
    with_block.scope_type,
    with_block.scope_id,
    with_block.driver,
    with_block.band,
    ranges.band_order,
    ranges.performance,
    {{ nps_block() }},
    {{ prefixed(crude, 'crude') }},
    coalesce(crude.verdict, 'no evidence') as verdict,
    {{ prefixed(within_reason, 'within_reason') }},
    coalesce(within_reason.within_reason_verdict, 'no evidence') as within_reason_verdict,
    -- What the scope's score would gain if the band's answers were like others of their reasons.
    -- Taken from 0, as -1 times 0 is -0, which a table may or may not give back as 0.
    (0 - within_reason.within_reason_difference) * with_block.responses / effects.scope_responses
        as points_at_stake,
    {{ prefixed(of_driver, 'effects') }}
from with_block
inner join effects
    on {{ same(key, 'with_block', 'effects') }}
left join {{ ref('driver_band_ranges') }} as ranges
    on {{ same(['driver', 'band'], 'with_block', 'ranges') }}
left join {{ ref('driver_contrasts') }} as crude
    on {{ same(key + ['band'], 'with_block', 'crude') }}
left join {{ ref('driver_reason_contrasts') }} as within_reason
    on {{ same(key + ['band'], 'with_block', 'within_reason') }}
