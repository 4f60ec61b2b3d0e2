{% set key = ['scope_type', 'scope_id', 'survey_type', 'period_type', 'period_start', 'driver'] %}
{% set of_rewards = [
    'low_responses', 'middle_responses', 'high_responses',
    'penalty', 'penalty_ci_low', 'penalty_ci_high', 'penalty_p_value',
    'reward', 'reward_ci_low', 'reward_ci_high', 'reward_p_value',
] %}
{% set of_doses = [
    'dose_slope', 'dose_slope_ci_low', 'dose_slope_ci_high', 'dose_p_value',
    'within_reason_dose_slope', 'within_reason_dose_slope_ci_low',
    'within_reason_dose_slope_ci_high', 'within_reason_dose_p_value',
] %}
{% set of_importance = [
    'measured_responses', 'importance_responses', 'r_squared', 'lmg', 'importance_pct',
    'importance_rank',
] %}

with

drivers as (

    select
        {{ period_columns() }},
        scope_type,
        scope_id,
        driver,
        cast(sum(responses) as bigint) as responses,
        cast(sum(case when band <> 'unknown' then responses else 0 end) as bigint)
            as known_responses
    from {{ ref('period_driver_counts') }}
    group by
        {{ period_columns() }},
        scope_type,
        scope_id,
        driver

)

select
    {{ period_columns('drivers') }},
    drivers.scope_type,
    drivers.scope_id,
    drivers.driver,
    drivers.responses,
    drivers.known_responses,
    {{ prefixed(of_rewards, 'rewards') }},
    {{ prefixed(of_doses, 'doses') }},
    {{ prefixed(of_importance, 'importance') }}
from drivers
left join {{ ref('driver_rewards') }} as rewards
    on {{ same(key, 'drivers', 'rewards') }}
left join {{ ref('driver_doses') }} as doses
    on {{ same(key, 'drivers', 'doses') }}
left join {{ ref('driver_importance') }} as importance
    on {{ same(key, 'drivers', 'importance') }}
