with

invitations as (

    select * from {{ ref('fct_survey_invitations') }}
    where sent_date is not null

),

answers as (

    select
        source_invitation_id as invitation_id,
        min(responded_at) as first_responded_at
    from {{ ref('fct_survey_responses') }}
    where source_invitation_id is not null
    group by source_invitation_id

),

staged as (

    select
        invitations.*,
        invitations.responses > 0 as is_answered,
        invitations.responses > 0 or coalesce(invitations.status = 'responded', false)
            as is_responded,
        coalesce(invitations.status = 'opted_out', false) as is_opted_out,
        -- In a customer's 90 days there are the invitations that may have reached the customer.
        case
            when not invitations.is_bounced and invitations.customer_id <> 'unknown'
                then sum(case when invitations.is_bounced then 0 else 1 end) over (
                    partition by invitations.customer_id
                    order by invitations.sent_at
                    range between interval '90 days' preceding and current row
                )
        end as recent_invitations,
        -- An answer that is older than its invitation says nothing of how long answers take.
        case
            when answers.first_responded_at >= invitations.sent_at
                then {{ hours_between('invitations.sent_at', 'answers.first_responded_at') }}
        end as hours_to_answer
    from invitations
    left join answers
        on invitations.invitation_id = answers.invitation_id

),

-- A date says that a stage was reached, whatever the status says; a status of a later stage says
-- so of the earlier ones, whether or not they have a date.
opened as (

    select
        *,
        is_responded or opened_at is not null or coalesce(status = 'opened', false) as is_opened
    from staged

)

select
    invitation_id,
    survey_type,
    customer_id,
    department_id,
    channel,
    survey_channel,
    agent_id,
    sent_at,
    sent_date,
    is_bounced,
    is_opened
    or is_opted_out
    or delivered_at is not null
    or coalesce(status = 'delivered', false) as is_delivered,
    is_opened,
    is_responded,
    is_answered,
    is_opted_out,
    cast(recent_invitations as bigint) as recent_invitations,
    hours_to_answer
from opened
