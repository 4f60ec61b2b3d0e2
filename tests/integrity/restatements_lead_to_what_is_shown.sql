-- What: published + why it moved = what the marts show today, as they count it themselves.
-- When it matters: a wrong reason, or a number nobody published, in a report that explains another.
-- How to resolve: compare unpublished_changes with fct_survey_responses for the period named here;
--   a build that was interrupted is repeated as a whole.
with

restated as (

    select
        scope_type,
        scope_id,
        survey_type,
        period_type,
        period_start,
        max(now_responses) as responses,
        max(now_promoters) as promoters,
        max(now_detractors) as detractors
    from {{ ref('nps_restatements') }}
    group by scope_type, scope_id, survey_type, period_type, period_start

),

shown as (

    select * from {{ ref('period_response_counts') }}
    where scope_type in ('company', 'department')

)

select
    restated.*,
    shown.responses as shown_responses
from restated
left join shown
    on {{ same(scope_period_key(), 'restated', 'shown') }}
where
    restated.responses <> coalesce(shown.responses, 0)
    or restated.promoters <> coalesce(shown.promoters, 0)
    or restated.detractors <> coalesce(shown.detractors, 0)
