-- What: by each policy the agents' answers add up to the company's.
-- When it matters: an answer that counts twice, or for nobody, in a comparison of policies.
-- How to resolve: look at the legs of the contacts of that period in answered_contact_agents.
with

attributed as (

    select
        survey_type,
        period_type,
        period_start,
        attribution_policy,
        {{ sum_of_doubles('attributed_responses') }} as responses,
        {{ sum_of_doubles('attributed_promoters') }} as promoters,
        {{ sum_of_doubles('attributed_detractors') }} as detractors
    from {{ ref('agent_scores_by_policy') }}
    group by survey_type, period_type, period_start, attribution_policy

),

company as (

    select * from {{ ref('nps_by_period') }}

)

select
    attributed.*,
    company.responses as responses_of_company
from attributed
inner join company
    on
        attributed.survey_type = company.survey_type
        and attributed.period_type = company.period_type
        and attributed.period_start = company.period_start
where
    -- Thirds and sevenths are not exact.
    abs(attributed.responses - company.responses) > 1e-6 * company.responses
    or abs(attributed.promoters - company.promoters) > 1e-6 * company.responses
    or abs(attributed.detractors - company.detractors) > 1e-6 * company.responses
