-- The row a row is compared with, and the prefix of what comes of it.
{% set others = {'previous': '', 'previous_year': 'year_'} %}
{% set lengths = [3, 12] %}
{% set rolling_figures = [
    'responses', 'promoters', 'passives', 'detractors', 'nps', 'nps_standard_error',
    'nps_ci_low', 'nps_ci_high', 'nps_band',
] %}

with

changes as (

    select * from {{ ref('trend_changes') }}

),

adjusted as (

    select * from {{ ref('trend_adjusted_p_values') }}

),

rolling as (

    select * from {{ ref('nps_rolling') }}

)

select
    changes.scope_type,
    changes.scope_id,
    {{ period_columns('changes') }},
    {{ prefixed(nps_block_names(), 'changes') }},
    {% for other, prefix in others.items() -%}
        changes.{{ other }}_start,
        changes.{{ other }}_responses,
        changes.{{ other }}_nps,
        {{ prefixed(change_names(prefix), 'changes') }},
        adjusted_{{ other }}.adjusted_p_value as {{ prefix }}adjusted_p_value,
        -- Nothing to compare with, no verdict; 'no evidence' is one.
        case
            when changes.{{ other }}_nps is not null
                then {{ verdict(
                    'changes.' ~ prefix ~ 'nps_change',
                    'changes.' ~ prefix ~ 'z_value',
                    'adjusted_' ~ other ~ '.adjusted_p_value',
                    'changes.is_' ~ prefix ~ 'testable',
                ) }}
        end as {{ prefix }}verdict,
    {% endfor -%}
    {% for length in lengths -%}
        rolling_{{ length }}.months_with_answers as rolling_{{ length }}_months_with_answers,
        {% for figure in rolling_figures -%}
            rolling_{{ length }}.{{ figure }} as rolling_{{ length }}_month_{{ figure }},
        {% endfor -%}
    {% endfor -%}
    baselines.nps as chart_center,
    {% for side, sign in {'low': '-', 'high': '+'}.items() -%}
        100 * {{ shewhart_limit(
            'baselines.nps / 100', 'baselines.nps_variance', 'changes.responses', sign
        ) }} as chart_{{ side }},
    {% endfor -%}
    coalesce(signals.signal_days, 0) as signal_days,
    signals.first_signal_on,
    signals.first_signal_kind,
    signals.first_signal_direction,
    signals.first_signal_started_on
from changes
{% for other in others -%}
    left join adjusted as adjusted_{{ other }}
        on
            {{ same(scope_period_key(), 'changes', 'adjusted_' ~ other) }}
            and adjusted_{{ other }}.compared_with = '{{ other }}'
{% endfor -%}
{% for length in lengths -%}
    left join rolling as rolling_{{ length }}
        on
            {{ same(scope_period_key(), 'changes', 'rolling_' ~ length) }}
            and rolling_{{ length }}.rolling_months = {{ length }}
{% endfor -%}
-- Of periods that begin after the baseline: what made the limits is not held against them.
left join {{ ref('chart_baselines') }} as baselines
    on
        {{ same(scope_key(), 'changes', 'baselines') }}
        and changes.period_start > baselines.baseline_end
left join {{ ref('period_signals') }} as signals
    on {{ same(scope_period_key(), 'changes', 'signals') }}
