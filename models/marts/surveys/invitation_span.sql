with

as_of as (

    select * from {{ ref('as_of') }}

),

invitations as (

    select
        min(sent_date) as first_sent_date,
        max(sent_date) as last_sent_date
    from {{ ref('invitation_stages') }}

)

select
    coalesce(as_of.first_response_date, invitations.first_sent_date) as first_date,
    coalesce(as_of.last_response_date, invitations.last_sent_date) as last_date
from as_of
cross join invitations
