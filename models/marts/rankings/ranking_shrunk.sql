{% set set_keys = ranking_set() %}
{% set scopes = "'" ~ ranked_scopes() | join("', '") ~ "'" %}
{% set periods = "'" ~ ranked_periods() | join("', '") ~ "'" %}

with

counts as (

    select
        {{ set_keys | join(',
        ') }},
        scope_id,
        period_end,
        is_complete,
        responses,
        promoters,
        passives,
        detractors
    from {{ ref('period_response_counts') }}
    where
        scope_type in ({{ scopes }})
        and period_type in ({{ periods }})
        -- The unknown are no group that could be better or worse than another.
        and scope_id <> 'unknown'

),

{{ nps_block_of('counts') }},

{{ shrunk_scores('with_block', within=set_keys) }}

select
    {{ set_keys | join(',
    ') }},
    scope_id,
    period_end,
    is_complete,
    responses,
    promoters,
    passives,
    detractors,
    nps,
    nps_adjusted,
    nps_standard_error,
    is_reportable,
    compared_groups,
    between_groups_sd,
    mean_of_groups,
    shrinkage_weight,
    shrunk_nps,
    shrunk_ci_low,
    shrunk_ci_high
from with_block_shrunk
