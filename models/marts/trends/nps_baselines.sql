{% set shown = [
    'is_declared', 'baseline_start', 'baseline_end', 'is_in_baseline', 'baseline_responses',
    'baseline_promoters', 'baseline_passives', 'baseline_detractors', 'baseline_nps',
    'baseline_nps_standard_error', 'baseline_nps_ci_low', 'baseline_nps_ci_high',
] %}

with

changes as (

    select * from {{ ref('baseline_changes') }}

),

-- Only what may get a verdict is tested, and counts among the comparisons made at once.
tested as (

    select
        scope_type,
        scope_id,
        survey_type,
        period_type,
        period_start,
        p_value
    from changes
    where is_testable

),

{{ benjamini_hochberg(
    'tested',
    within=['scope_type', 'survey_type', 'period_type', 'period_start'],
    key=['scope_id'],
) }}

select
    changes.scope_type,
    changes.scope_id,
    {{ period_columns('changes') }},
    {{ prefixed(nps_block_names(), 'changes') }},
    {{ prefixed(shown + change_names(), 'changes') }},
    tested_adjusted.adjusted_p_value,
    case
        when changes.nps_change is not null
            then {{ verdict(
                'changes.nps_change', 'changes.z_value', 'tested_adjusted.adjusted_p_value',
                'changes.is_testable',
            ) }}
    end as verdict
from changes
left join tested_adjusted
    on {{ same(scope_period_key(), 'changes', 'tested_adjusted') }}
