{% set group = ['scope_type', 'scope_id', 'period_type', 'period_start'] %}
{% set counts = [
    'contacts', 'answered_contacts', 'responses', 'promoters', 'passives', 'detractors',
] %}
{% set each = ['detractors', 'passives', 'promoters'] %}

with

cells as (

    select * from {{ ref('weighting_cells') }}

),

as_of as (

    select * from {{ ref('as_of') }}

),

totals as (

    select
        {{ group | join(',\n        ') }},
        period_end,
        {{ summed_bigints(counts) }}
    from cells
    group by {{ group | join(', ') }}, period_end

),

weighted as (

    select * from {{ ref('weighted_score_statistics') }}

),

joined as (

    select
        totals.*,
        weighted.weighting,
        {{ nps(*each) }} as nps,
        weighted.nps_weighted,
        weighted.nps_weighted_standard_error,
        -- What those who did not answer could move, if they differed so much.
        {{ double_literal(var('nps_nonresponse_points')) }}
        * (totals.contacts - totals.answered_contacts) / totals.contacts as nonresponse_bias,
        weighted.weight_min,
        weighted.weight_max,
        weighted.capped_responses,
        weighted.effective_responses,
        weighted.margin_error_pct
    from totals
    inner join weighted
        on {% for column in group %}
            {{ "and " if not loop.first }}totals.{{ column }} = weighted.{{ column }}
        {%- endfor %}

)

select
    joined.scope_type,
    joined.scope_id,
    'transactional' as survey_type,
    joined.period_type,
    joined.period_start,
    joined.period_end,
    joined.period_end < as_of.as_of_date as is_complete,
    joined.weighting,
    {% for count in counts -%}
        joined.{{ count }},
    {% endfor -%}
    {{ share_pct('joined.answered_contacts', 'joined.contacts') }} as answered_pct,
    joined.nps,
    joined.nps_weighted,
    joined.nps_weighted_standard_error,
    greatest(
        -100.0,
        joined.nps_weighted - {{ normal_quantile_95() }} * joined.nps_weighted_standard_error
    ) as nps_weighted_ci_low,
    least(
        100.0,
        joined.nps_weighted + {{ normal_quantile_95() }} * joined.nps_weighted_standard_error
    ) as nps_weighted_ci_high,
    greatest(-100.0, joined.nps_weighted - joined.nonresponse_bias) as nps_low,
    least(100.0, joined.nps_weighted + joined.nonresponse_bias) as nps_high,
    joined.weight_min,
    joined.weight_max,
    joined.capped_responses,
    joined.responses / joined.effective_responses as design_effect,
    joined.effective_responses,
    joined.margin_error_pct,
    coalesce(joined.margin_error_pct, 0) <= {{ raking_tolerance_pct() }} as is_converged,
    joined.responses >= {{ var('nps_min_responses') }}
    and coalesce(joined.margin_error_pct, 0) <= {{ raking_tolerance_pct() }} as is_reportable
from joined
cross join as_of
