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
    {% for column in crude -%}
        crude.{{ column }},
    {% endfor -%}
    coalesce(crude.verdict, 'no evidence') as verdict,
    {% for column in within_reason -%}
        within_reason.{{ column }},
    {% endfor -%}
    coalesce(within_reason.within_reason_verdict, 'no evidence') as within_reason_verdict,
    -- What the scope's score would gain if the band's answers were like others of their reasons.
    -1 * within_reason.within_reason_difference * with_block.responses / effects.scope_responses
        as points_at_stake,
    {% for column in of_driver -%}
        effects.{{ column }}{{ "," if not loop.last }}
    {% endfor %}
from with_block
inner join effects
    on
        {% for column in key -%}
            {{ "and " if not loop.first }}with_block.{{ column }} = effects.{{ column }}
        {% endfor %}
left join {{ ref('driver_band_ranges') }} as ranges
    on
        with_block.driver = ranges.driver
        and with_block.band = ranges.band
left join {{ ref('driver_contrasts') }} as crude
    on
        with_block.band = crude.band
        {% for column in key -%}
            and with_block.{{ column }} = crude.{{ column }}
        {% endfor %}
left join {{ ref('driver_reason_contrasts') }} as within_reason
    on
        with_block.band = within_reason.band
        {% for column in key -%}
            and with_block.{{ column }} = within_reason.{{ column }}
        {% endfor %}
