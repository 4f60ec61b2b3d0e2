{% set period_key = ['survey_type', 'period_type', 'period_start'] %}

with

tested as (

    select
        *,
        {{ two_sided_p('rise_z') }} as rise_p_value
    from {{ ref('pain_point_shares') }}

)

select
    survey_type,
    period_type,
    period_start,
    period_end,
    is_complete,
    department_id,
    theme,
    family,
    owner_department_id,
    mentions,
    detractor_mentions,
    commented_responses,
    mention_pct,
    earlier_mention_pct,
    rise_z,
    recurring_periods,
    window_mentions,
    window_detractor_pct,
    window_detractor_pct_ci_low,
    company_detractor_pct,
    rise_p_value,
    {{ signal_class() }} as signal_class,
    row_number() over (
        partition by {{ period_key | join(', ') }}, department_id
        order by
            case {{ signal_class() }} when 'structural' then 1 when 'watch' then 2 else 3 end,
            detractor_mentions desc nulls last,
            mentions desc nulls last,
            theme asc
    ) as pain_rank
from tested
