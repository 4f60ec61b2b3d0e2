with

days as (

    select
        *,
        {{ nps('detractors', 'passives', 'promoters') }} as nps,
        {{ share_pct('detractors', 'responses') }} as detractor_pct
    from {{ ref('period_response_counts') }}
    where
        period_type = 'day'
        and scope_type in ({{ trend_scopes() }})

),

baselines as (

    select * from {{ ref('chart_baselines') }}

),

points as (

    select * from {{ ref('chart_points') }}

),

signals as (

    select * from {{ ref('chart_signals') }}

)

select
    days.scope_type,
    days.scope_id,
    days.survey_type,
    days.period_start as charted_on,
    days.is_complete,
    days.responses,
    days.promoters,
    days.passives,
    days.detractors,
    days.nps,
    days.detractor_pct,
    baselines.baseline_start,
    baselines.baseline_end,
    points.place is not null as is_judged,
    baselines.nps as center,
    points.shewhart_low,
    points.shewhart_high,
    100 * baselines.detractor_share as detractor_pct_center,
    baselines.sigma_z,
    points.p_prime_low,
    points.p_prime_high,
    points.standardized_nps,
    points.ewma,
    points.ewma_limit,
    points.cusum_up,
    points.cusum_down,
    points.cusum_limit,
    {% for chart in chart_signals() -%}
        signals.{{ chart }}_signal,
    {% endfor -%}
    signals.signal_kind,
    signals.signal_direction,
    signals.signal_started_on,
    signals.signal_started_by
from days
left join baselines
    on {{ same(scope_key(), 'days', 'baselines') }}
left join points
    on
        {{ same(scope_key(), 'days', 'points') }}
        and days.period_start = points.charted_on
left join signals
    on
        {{ same(scope_key(), 'days', 'signals') }}
        and days.period_start = signals.charted_on
