{% set set_of_groups = ['survey_type', 'period_type', 'period_start', 'scope_type'] %}

with

contrasts as (

    select * from {{ ref('nps_group_contrasts') }}

),

{{ benjamini_hochberg('contrasts', within=set_of_groups, key=['scope_id']) }},

-- Pareto: the groups with most detractors first, ties in the order of their keys.
ranked as (

    select
        *,
        row_number() over (
            partition by {{ set_of_groups | join(', ') }}
            order by detractors desc nulls last, scope_id asc
        ) as detractor_rank,
        sum(detractors) over (
            partition by {{ set_of_groups | join(', ') }}
            order by detractors desc nulls last, scope_id asc
            rows between unbounded preceding and current row
        ) as detractors_so_far
    from contrasts_adjusted

)

select
    {{ period_columns() }},
    scope_type,
    scope_id,
    responses,
    promoters,
    passives,
    detractors,
    nps,
    is_reportable,
    company_nps,
    {{ leave_one_out_impact('responses', 'nps', 'company_responses', 'company_nps') }} as impact,
    rest_responses,
    rest_nps,
    difference_from_rest,
    difference_ci_low,
    difference_ci_high,
    p_value,
    adjusted_p_value,
    {{ verdict(
        'difference_from_rest', 'z', 'adjusted_p_value',
        is_comparable='is_complete and p_value is not null',
    ) }} as verdict,
    {{ share_pct('responses', 'company_responses') }} as response_share_pct,
    {{ share_pct('detractors', 'company_detractors') }} as detractor_share_pct,
    detractor_rank,
    {{ share_pct('detractors_so_far', 'company_detractors') }} as cumulative_detractor_share_pct
from ranked
