{{ config(
    pre_hook="{{ take_out('invitation_id', changed_invitations(), dates='sent_date') }}",
    post_hook="{{ note_added('invitation_id', dates='sent_date') }}",
) }}

with

invitations as (

    select * from {{ invitations_to_write() }}

),

contacts as (

    select *
    from {{ linked_rows(ref('fct_contacts'), 'contact_id', 'select contact_id from invitations') }}

)

select
    invitations.invitation_id,
    coalesce(invitations.survey_id, 'unknown') as survey_id,
    invitations.survey_id as source_survey_id,
    invitations.survey_type,
    coalesce(contacts.contact_id, 'unknown') as contact_id,
    invitations.contact_id as source_contact_id,
    coalesce(invitations.customer_id, contacts.source_customer_id, 'unknown') as customer_id,
    invitations.customer_id as source_customer_id,
    coalesce(invitations.survey_channel, 'unknown') as survey_channel,
    coalesce(contacts.agent_id, 'unknown') as agent_id,
    coalesce(contacts.department_id, 'unknown') as department_id,
    coalesce(contacts.channel, 'unknown') as channel,
    invitations.sent_at,
    invitations.sent_date,
    invitations.delivered_at,
    invitations.opened_at,
    invitations.status,
    invitations.is_bounced,
    invitations.responses
from invitations
left join contacts
    on invitations.contact_id = contacts.contact_id
