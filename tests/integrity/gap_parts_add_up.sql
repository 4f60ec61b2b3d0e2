-- What: over the members of a scope type, the points of the company's gap add up to that gap.
-- When it matters: a part of the gap that belongs to nobody is nobody's task.
-- How to resolve: we look for members without a row in nps_targets_gap, or with two.
with

gaps as (

    select * from {{ ref('nps_targets_gap') }}
    where
        company_gap is not null
        and not is_rollup

)

select
    survey_type,
    period_type,
    period_start,
    scope_type,
    min(company_gap) as company_gap,
    sum(company_gap_points) as points
from gaps
group by survey_type, period_type, period_start, scope_type
having abs(min(company_gap) - sum(company_gap_points)) > 1e-9
