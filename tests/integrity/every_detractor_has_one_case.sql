-- What: every detractor answer has exactly one case, and every accepted follow-up is in a case or
-- in follow_ups_without_case.
-- When it matters: a detractor without a case is never called back; a follow-up that is lost looks
-- like one that nobody made.
-- How to resolve: correct the models, not the data.
with

answers as (

    select
        responses.response_id,
        count(cases.case_id) as cases
    from {{ ref('fct_survey_responses') }} as responses
    left join {{ ref('detractor_cases') }} as cases
        on responses.response_id = cases.response_id
    where responses.nps_category = 'detractor'
    group by responses.response_id

),

follow_ups as (

    select
        (select count(*) from {{ ref('stg_follow_ups') }}) as delivered,
        (select coalesce(sum(follow_ups), 0) from {{ ref('detractor_cases') }}) as in_cases,
        (select count(*) from {{ ref('follow_ups_without_case') }}) as without_case,
        (select count(*) from {{ ref('detractor_cases') }}) as cases,
        (select count(*) from answers) as detractors

)

select 'answer ' || response_id || ' has ' || cases || ' cases' as finding
from answers
where cases <> 1
union all
select 'follow-ups: ' || delivered || ', in cases ' || in_cases || ', without ' || without_case
from follow_ups
where delivered <> in_cases + without_case
union all
select cases || ' cases of ' || detractors || ' detractors'
from follow_ups
where cases <> detractors
