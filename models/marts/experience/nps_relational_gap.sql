with

contrasts as (

    select * from {{ ref('nps_relational_contrasts') }}

),

{{ benjamini_hochberg(
    'contrasts', within=['period_type', 'period_start', 'scope_type'], key=['scope_id']
) }}

select
    period_type,
    period_start,
    period_end,
    is_complete,
    scope_type,
    scope_id,
    transactional_responses,
    relational_responses,
    transactional_nps,
    relational_nps,
    relational_gap,
    relational_gap_ci_low,
    relational_gap_ci_high,
    is_reportable,
    p_value,
    adjusted_p_value,
    {{ verdict(
        'relational_gap', 'z', 'adjusted_p_value', is_comparable='is_complete and is_reportable'
    ) }} as verdict
from contrasts_adjusted
