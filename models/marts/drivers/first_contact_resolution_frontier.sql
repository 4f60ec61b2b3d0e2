{% set key = ['contact_reason', 'handle_band', 'period_type', 'period_start'] %}
{% set counts = ['responses', 'promoters', 'passives', 'detractors'] %}
{% set shown = [
    'contacts', 'contacts_of_known_outcome', 'resolved', 'timed_contacts', 'followed_contacts',
    'repeated', 'resolved_pct', 'repeated_pct', 'handle_seconds_mean', 'repeat_seconds_mean',
    'cost_seconds', 'is_on_frontier',
] %}
{% set shown_of_block = [
    'promoter_pct', 'passive_pct', 'detractor_pct', 'nps', 'nps_standard_error', 'nps_ci_low',
    'nps_ci_high', 'nps_band',
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
    {{ prefixed(['period_type', 'period_start', 'period_end', 'is_complete'], 'costs') }},
    costs.contact_reason,
    costs.handle_band,
    ranges.band_order,
    {{ prefixed(shown, 'costs') }},
    {% for part, whole in {
        'resolved': 'contacts_of_known_outcome', 'repeated': 'followed_contacts',
    }.items() -%}
        {% for limit in ['low', 'high'] -%}
            {{ wilson_limit('costs.' ~ part, 'costs.' ~ whole, limit) }}
                as {{ part }}_ci_{{ limit }},
        {% endfor -%}
    {%- endfor -%}
    100 * costs.cost_seconds / nullif(costs.resolved_pct, 0) as cost_seconds_per_resolved,
    {{ prefixed(counts, 'costs') }},
    {{ prefixed(shown_of_block, 'with_block') }},
    coalesce(with_block.is_reportable, false) as is_reportable
from costs
left join with_block
    on {{ same(key, 'costs', 'with_block') }}
left join {{ ref('driver_band_ranges') }} as ranges
    on
        ranges.driver = 'handle_seconds'
        and costs.handle_band = ranges.band
