{% set key = ['contact_reason', 'handle_band', 'period_type', 'period_start'] %}
{% set counts = ['responses', 'promoters', 'passives', 'detractors'] %}
{% set shown = [
    'contacts', 'contacts_of_known_outcome', 'resolved', 'timed_contacts', 'followed_contacts',
    'repeated', 'resolved_pct', 'repeated_pct', 'handle_seconds_mean', 'repeat_seconds_mean',
    'cost_seconds', 'is_on_frontier',
] %}

with

costs as (

    select * from {{ ref('resolution_costs') }}

),

-- Contacts that nobody answered for have no score.
answered as (

    select
        {{ (key + counts) | join(',
        ') }}
    from costs
    where responses > 0

),

{{ nps_block_of('answered') }}

select
    {% for column in ['period_type', 'period_start', 'period_end', 'is_complete'] -%}
        costs.{{ column }},
    {% endfor -%}
    costs.contact_reason,
    costs.handle_band,
    ranges.band_order,
    {% for column in shown -%}
        costs.{{ column }},
    {% endfor -%}
    {% for part, whole in {
        'resolved': 'contacts_of_known_outcome', 'repeated': 'followed_contacts',
    }.items() -%}
        {% for limit in ['low', 'high'] -%}
            {{ wilson_limit('costs.' ~ part, 'costs.' ~ whole, limit) }}
                as {{ part }}_ci_{{ limit }},
        {% endfor -%}
    {%- endfor -%}
    100 * costs.cost_seconds / nullif(costs.resolved_pct, 0) as cost_seconds_per_resolved,
    {% for count in counts -%}
        costs.{{ count }},
    {% endfor -%}
    {% for column in [
        'promoter_pct', 'passive_pct', 'detractor_pct', 'nps', 'nps_standard_error', 'nps_ci_low',
        'nps_ci_high', 'nps_band',
    ] -%}
        with_block.{{ column }},
    {% endfor -%}
    coalesce(with_block.is_reportable, false) as is_reportable
from costs
left join with_block
    on
        {% for column in key -%}
            {{ "and " if not loop.first }}costs.{{ column }} = with_block.{{ column }}
        {% endfor %}
left join {{ ref('driver_band_ranges') }} as ranges
    on
        ranges.driver = 'handle_seconds'
        and costs.handle_band = ranges.band
