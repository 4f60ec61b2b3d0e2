{{ config(
    pre_hook="{{ take_out('response_id', changed_responses(), dates='period_date') }}",
    post_hook="{{ note_added('response_id', dates='period_date') }}",
) }}

with

responses as (

    select * from {{ responses_to_write('response_id') }}

),

contacts as (

    select *
    from {{ linked_rows(ref('fct_contacts'), 'contact_id', 'select contact_id from responses') }}

),

customers as (

    select *
    from {{ linked_rows(
        ref('categorized_customers'),
        'customer_id',
        'select customer_id from responses union all select source_customer_id from contacts',
    ) }}

),

invitations as (

    select
        invitation_id,
        sent_date
    from {{ linked_rows(
        ref('fct_survey_invitations'), 'invitation_id', 'select invitation_id from responses'
    ) }}

)

select
    responses.response_id,
    coalesce(invitations.invitation_id, 'unknown') as invitation_id,
    responses.invitation_id as source_invitation_id,
    coalesce(contacts.contact_id, 'unknown') as contact_id,
    responses.contact_id as source_contact_id,
    coalesce(responses.customer_id, contacts.source_customer_id, 'unknown') as customer_id,
    responses.customer_id as source_customer_id,
    coalesce(responses.survey_id, 'unknown') as survey_id,
    responses.survey_id as source_survey_id,
    responses.survey_type,
    responses.score,
    responses.nps_category,
    responses.nps_contribution,
    responses.csat_score,
    responses.effort_score,
    responses.responded_at,
    responses.response_date,
    {{ period_date('responses', 'contacts', 'invitations') }} as period_date,
    coalesce(contacts.contact_weekday, responses.response_weekday) as weekday,
    coalesce(contacts.contact_hour, responses.response_hour) as hour,
    coalesce(responses.survey_channel, 'unknown') as survey_channel,
    coalesce(responses.language, 'unknown') as language,
    responses.comment,
    responses.status,
    coalesce(contacts.agent_id, 'unknown') as agent_id,
    contacts.source_agent_id,
    coalesce(contacts.department_id, 'unknown') as department_id,
    contacts.source_department_id,
    coalesce(contacts.team, 'unknown') as team,
    coalesce(contacts.channel, 'unknown') as channel,
    contacts.source_channel,
    coalesce(contacts.site, 'unknown') as site,
    contacts.source_site,
    coalesce(contacts.source_product_line, customers.product_line, 'unknown') as product_line,
    contacts.source_product_line,
    coalesce(contacts.contact_reason, 'unknown') as contact_reason,
    contacts.source_contact_reason,
    coalesce(customers.segment, 'unknown') as segment,
    contacts.queue_seconds,
    contacts.hold_seconds,
    contacts.handle_seconds,
    contacts.transfers,
    contacts.is_resolved
from responses
-- Every join is a left join: an answer whose links point to nothing is kept and unknown.
left join contacts
    on responses.contact_id = contacts.contact_id
left join invitations
    on responses.invitation_id = invitations.invitation_id
left join customers
    on coalesce(responses.customer_id, contacts.source_customer_id) = customers.customer_id
