{% set group = ['scope_type', 'scope_id', 'follow_up'] %}
{% set each = ['detractors', 'passives', 'promoters'] %}
{% set reach = normal_quantile_95() ~ ' * recovery_standard_error' %}

with

treated as (

    select
        {{ group | join(',\n        ') }},
        cast(sum(responses_at_level_1) as bigint) as matched_closely,
        {{ summed_counts() }}
    from {{ ref('recovery_treated') }}
    group by {{ group | join(', ') }}

),

scored as (

    select
        *,
        {{ nps(*each) }} as nps,
        {{ nps_adjusted(*each) }} as nps_adjusted,
        {{ nps_standard_error(*each) }} as nps_standard_error
    from treated

),

compared as (

    select
        scored.*,
        scores.compared_customers,
        scores.effective_customers,
        scores.comparison_nps,
        scored.nps - scores.comparison_nps as recovery,
        scored.nps_adjusted - scores.comparison_nps as adjusted_recovery,
        {{ difference_standard_error(
            'scored.nps_standard_error', 'scores.comparison_nps_standard_error'
        ) }} as recovery_standard_error,
        {{ difference_z(
            'scores.comparison_nps', 'scores.comparison_nps_standard_error',
            'scored.nps_adjusted', 'scored.nps_standard_error',
        ) }} as z_value,
        scored.responses >= {{ var('nps_min_responses') }}
        and scores.effective_customers >= {{ var('nps_min_responses') }} as is_reportable
    from scored
    inner join {{ ref('recovery_scores') }} as scores
        on {% for column in group %}
            {{ "and " if not loop.first }}scored.{{ column }} = scores.{{ column }}
        {%- endfor %}

),

tested as (

    select
        *,
        case when is_reportable then {{ two_sided_p('z_value') }} end as p_value
    from compared

),

{{ benjamini_hochberg('tested', within=['scope_type'], key=['scope_id', 'follow_up']) }}

select
    {{ group | join(',\n    ') }},
    responses as followed_up_customers,
    {{ share_pct('matched_closely', 'responses') }} as matched_closely_pct,
    compared_customers,
    effective_customers,
    nps as followed_up_nps,
    comparison_nps,
    recovery,
    recovery_standard_error,
    adjusted_recovery - {{ reach }} as recovery_ci_low,
    adjusted_recovery + {{ reach }} as recovery_ci_high,
    is_reportable,
    z_value,
    p_value,
    adjusted_p_value,
    {{ verdict('recovery', 'z_value', 'adjusted_p_value', 'is_reportable') }} as verdict
from tested_adjusted
