{% set periods = "'" ~ ranked_periods() | join("', '") ~ "'" %}
{% set effective = [] %}
{% for category in ['detractors', 'passives', 'promoters'] %}
    {% do effective.append(
        'attributed_' ~ category ~ ' / attributed_responses * effective_responses'
    ) %}
{% endfor %}

with

counts as (

    select
        *,
        {{ effective_responses('attributed_responses', 'squared_weights') }}
            as effective_responses
    from {{ ref('period_attributed_counts') }}
    where period_type in ({{ periods }})

),

scored as (

    select
        *,
        -- Weights are no whole numbers: the last bit must not lead past the scale.
        greatest(-100.0, least(100.0, {{ nps(
            'attributed_detractors', 'attributed_passives', 'attributed_promoters'
        ) }})) as nps,
        {{ nps_adjusted(*effective) }} as nps_adjusted,
        {{ nps_standard_error(*effective) }} as nps_standard_error,
        attributed_responses >= {{ var('nps_min_responses') }} as is_reportable
    from counts

),

ranked as (

    select
        *,
        greatest(
            -100.0, nps_adjusted - {{ normal_quantile_95() }} * nps_standard_error
        ) as nps_ci_low,
        least(
            100.0, nps_adjusted + {{ normal_quantile_95() }} * nps_standard_error
        ) as nps_ci_high,
        is_reportable
        and agent_id not in ('unknown', 'withheld') as is_ranked
    from scored

)

select
    {{ period_columns() }},
    attribution_policy,
    agent_id,
    answers,
    {{ attributed_weights() | join(',
    ') }},
    effective_responses,
    nps,
    nps_standard_error,
    nps_ci_low,
    nps_ci_high,
    is_reportable,
    case
        when is_ranked
            then
                rank() over (
                    partition by
                        survey_type, period_type, period_start, attribution_policy, is_ranked
                    order by nps desc nulls last
                )
    end as nps_rank
from ranked
