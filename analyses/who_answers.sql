-- Who answers, and can the response rate explain the score?
-- Response rates by channel, of the last quarter whose invitations had time to be answered, beside
-- the company's score as it came and weighted to all contacts. Where the weighted score lies far
-- from the raw one, who answers explains a part of it; where it lies close, it does not, as far as
-- channel, reason, resolution and transfers can tell.
with

funnel as (

    select *
    from {{ ref('survey_funnel') }}
    where
        survey_type = 'transactional'
        and period_type = 'quarter'
        and is_complete
        and is_mature

),

weighted as (

    select *
    from {{ ref('nps_weighted') }}
    where
        survey_type = 'transactional'
        and period_type = 'quarter'
        and scope_type = 'company'
        and weighting = 'raking'
        and is_complete

),

last_quarter as (

    select max(period_start) as period_start
    from funnel
    where scope_type = 'company'

)

select
    funnel.period_start,
    funnel.scope_type,
    funnel.scope_id,
    funnel.invitations,
    funnel.answered,
    funnel.response_rate,
    funnel.response_rate_ci_low,
    funnel.response_rate_ci_high,
    weighted.answered_contacts,
    weighted.contacts,
    weighted.nps,
    weighted.nps_weighted,
    weighted.nps_weighted_ci_low,
    weighted.nps_weighted_ci_high
from funnel
inner join last_quarter
    on funnel.period_start = last_quarter.period_start
left join weighted
    on funnel.period_start = weighted.period_start
where funnel.scope_type in ('company', 'channel')
order by
    funnel.scope_type desc,
    funnel.response_rate desc nulls last,
    funnel.scope_id asc
