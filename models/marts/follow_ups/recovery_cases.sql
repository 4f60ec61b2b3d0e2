{% set days = var('nps_recovery_days') %}

with

-- Each customer's first case: one each, and none is touched by an earlier follow-up.
ordered as (

    select
        *,
        {{ plus_days('opened_at', days) }} as judged_from,
        row_number() over (partition by customer_id order by opened_at, response_id) as place
    from {{ ref('detractor_cases') }}
    where customer_id <> 'unknown'

),

-- Followed up: the case was over by then. Not followed up: nothing had begun. The others are
-- neither.
sorted as (

    select
        *,
        case
            when closed_at <= judged_from then coalesce(outcome, 'unknown')
            when
                follow_ups = 0
                or coalesce(follow_up_opened_at, first_contacted_at, closed_at) > judged_from
                then 'none'
        end as follow_up
    from ordered
    where place = 1

),

first_cases as (

    select * from sorted
    where follow_up is not null

),

-- An answer is about its contact, so it is the contact that has to come after.
answers as (

    select
        responses.customer_id,
        coalesce(contacts.started_at, responses.responded_at) as began_at,
        min(responses.response_id) as response_id
    from {{ ref('fct_survey_responses') }} as responses
    inner join first_cases
        on responses.customer_id = first_cases.customer_id
    left join {{ ref('fct_contacts') }} as contacts
        on responses.contact_id = contacts.contact_id
    where coalesce(contacts.started_at, responses.responded_at) > first_cases.judged_from
    group by responses.customer_id, coalesce(contacts.started_at, responses.responded_at)

),

next_answers as (

    select
        customer_id,
        response_id,
        row_number() over (partition by customer_id order by began_at, response_id) as place
    from answers

)

select
    first_cases.response_id,
    first_cases.score,
    first_cases.contact_reason,
    first_cases.department_id,
    first_cases.follow_up,
    next_answers.response_id as next_response_id,
    responses.nps_category
from first_cases
inner join next_answers
    on
        first_cases.customer_id = next_answers.customer_id
        and next_answers.place = 1
inner join {{ ref('fct_survey_responses') }} as responses
    on next_answers.response_id = responses.response_id
