with

targeted as (

    select * from {{ ref('nps_counts_with_targets') }}

),

{{ nps_block_of('targeted') }},

company as (

    select * from with_block
    where scope_type = 'company'

),

compared as (

    select
        with_block.*,
        with_block.target - with_block.nps as gap,
        {{ months_left('with_block.judged_on', 'with_block.due_on') }} as months_left,
        with_block.company_target - company.nps as company_gap,
        -- What the company lacks, split by whose answers lack it: over the groups of a scope type
        -- n_g / N x (T - S_g) adds up to T - S, whatever targets they have of their own.
        with_block.responses * (with_block.company_target - with_block.nps)
        / company.responses as company_gap_points
    from with_block
    left join company
        on
            with_block.survey_type = company.survey_type
            and with_block.period_type = company.period_type
            and with_block.period_start = company.period_start

)

select
    {{ period_columns() }},
    scope_type,
    scope_id,
    is_rollup,
    target,
    target_scope_type,
    target_valid_from,
    due_on,
    {{ nps_block() }},
    gap,
    {{ target_status(
        'nps_ci_low', 'nps_ci_high', 'target', is_decidable='is_complete and is_reportable'
    ) }} as status,
    {{ detractors_to_turn('detractors', 'passives', 'promoters', 'target') }}
        as detractors_to_turn,
    {{ one_step_moves('detractors', 'passives', 'promoters', 'target') }} as one_step_moves,
    months_left,
    {{ needed_per_month('gap', 'months_left') }} as points_needed_per_month,
    {{ responses_needed(
        nps_variance(*adjusted_counts('detractors', 'passives', 'promoters')),
        margin=var('nps_precision_points'),
    ) }} as responses_needed,
    company_target,
    company_gap,
    company_gap_points,
    case when company_gap > 0 then 100 * company_gap_points / company_gap end
        as company_gap_share_pct
from compared
