with

days as (

    select * from {{ ref('period_response_counts') }}
    where
        period_type = 'day'
        and scope_type in ({{ trend_scopes() }})

),

baselines as (

    select * from {{ ref('chart_baselines') }}

),

-- A day is judged by a baseline that ended before it, so nothing later can make it signal.
points as (

    select
        days.scope_type,
        days.scope_id,
        days.survey_type,
        days.period_start as charted_on,
        {{ nps('days.detractors', 'days.passives', 'days.promoters') }} as nps,
        {{ share_pct('days.detractors', 'days.responses') }} as detractor_pct,
        {% for side, sign in {'low': '-', 'high': '+'}.items() -%}
            100 * {{ shewhart_limit(
                'baselines.nps / 100', 'baselines.nps_variance', 'days.responses', sign
            ) }} as shewhart_{{ side }},
            100 * {{ p_prime_limit(
                'baselines.detractor_share', 'days.responses',
                p_prime_factor('baselines.sigma_z'), sign
            ) }} as p_prime_{{ side }},
        {% endfor -%}
        {{ standardized(
            'cast(days.promoters - days.detractors as ' ~ double_type() ~ ') / days.responses',
            'baselines.nps / 100', 'baselines.nps_variance', 'days.responses',
        ) }} as x
    from days
    inner join baselines
        on
            {{ same(scope_key(), 'days', 'baselines') }}
            and days.period_start > baselines.baseline_end
    where days.is_complete

),

{{ ewma_and_cusum(
    'points',
    within=scope_key(),
    order=['charted_on'],
    weight=var('nps_ewma_weight'),
    slack=var('nps_cusum_slack'),
) }}

select
    scope_type,
    scope_id,
    survey_type,
    charted_on,
    place,
    nps,
    detractor_pct,
    shewhart_low,
    shewhart_high,
    p_prime_low,
    p_prime_high,
    x as standardized_nps,
    ewma,
    {{ ewma_limit('place', var('nps_ewma_weight'), var('nps_ewma_limit')) }} as ewma_limit,
    cusum_up,
    cusum_down,
    {{ double_literal(var('nps_cusum_limit')) }} as cusum_limit
from points_charted
