with

responses as (

    select * from {{ ref('categorized_survey_responses') }}

),

contacts as (

    select * from {{ ref('fct_contacts') }}

),

customers as (

    select * from {{ ref('stg_customers') }}

),

invitations as (

    select * from {{ ref('categorized_survey_invitations') }}

),

-- Every join is a left join: an answer whose links point to nothing is kept and unknown.
with_contact as (

    select
        responses.*,
        coalesce(responses.customer_id, contacts.source_customer_id) as found_customer_id,
        coalesce(contacts.contact_id, 'unknown') as shown_contact_id,
        coalesce(invitations.invitation_id, 'unknown') as shown_invitation_id,
        invitations.sent_date,
        coalesce(contacts.agent_id, 'unknown') as agent_id,
        contacts.source_agent_id,
        coalesce(contacts.department_id, 'unknown') as department_id,
        contacts.source_department_id,
        coalesce(contacts.team, 'unknown') as team,
        coalesce(contacts.channel, 'unknown') as channel,
        contacts.source_channel,
        coalesce(contacts.site, 'unknown') as site,
        contacts.source_site,
        contacts.source_product_line,
        coalesce(contacts.contact_reason, 'unknown') as contact_reason,
        contacts.source_contact_reason,
        contacts.contact_date,
        coalesce(
            contacts.contact_weekday, {{ iso_weekday(utc_to_local('responses.responded_at')) }}
        ) as weekday,
        coalesce(
            contacts.contact_hour,
            cast(extract(hour from {{ utc_to_local('responses.responded_at') }}) as integer)
        ) as hour,
        contacts.queue_seconds,
        contacts.hold_seconds,
        contacts.handle_seconds,
        contacts.transfers,
        contacts.is_resolved
    from responses
    left join contacts
        on responses.contact_id = contacts.contact_id
    left join invitations
        on responses.invitation_id = invitations.invitation_id

)

select
    with_contact.response_id,
    with_contact.shown_invitation_id as invitation_id,
    with_contact.invitation_id as source_invitation_id,
    with_contact.shown_contact_id as contact_id,
    with_contact.contact_id as source_contact_id,
    coalesce(with_contact.found_customer_id, 'unknown') as customer_id,
    with_contact.customer_id as source_customer_id,
    coalesce(with_contact.survey_id, 'unknown') as survey_id,
    with_contact.survey_id as source_survey_id,
    with_contact.survey_type,
    with_contact.score,
    with_contact.nps_category,
    with_contact.nps_contribution,
    with_contact.csat_score,
    with_contact.effort_score,
    with_contact.responded_at,
    with_contact.response_date,
    -- The date periods are made of: var nps_period_basis ({{ var('nps_period_basis') }}).
    {% if var('nps_period_basis') == 'contact' -%}
        coalesce(with_contact.contact_date, with_contact.response_date) as period_date,
    {% elif var('nps_period_basis') == 'invitation' -%}
        coalesce(with_contact.sent_date, with_contact.response_date) as period_date,
    {% else -%}
        with_contact.response_date as period_date,
    {% endif -%}
    with_contact.weekday,
    with_contact.hour,
    coalesce(with_contact.survey_channel, 'unknown') as survey_channel,
    coalesce(with_contact.language, 'unknown') as language,
    with_contact.comment,
    with_contact.status,
    with_contact.agent_id,
    with_contact.source_agent_id,
    with_contact.department_id,
    with_contact.source_department_id,
    with_contact.team,
    with_contact.channel,
    with_contact.source_channel,
    with_contact.site,
    with_contact.source_site,
    coalesce(with_contact.source_product_line, customers.product_line, 'unknown')
        as product_line,
    with_contact.source_product_line,
    with_contact.contact_reason,
    with_contact.source_contact_reason,
    coalesce(customers.segment, 'unknown') as segment,
    with_contact.queue_seconds,
    with_contact.hold_seconds,
    with_contact.handle_seconds,
    with_contact.transfers,
    with_contact.is_resolved
from with_contact
left join customers
    on with_contact.found_customer_id = customers.customer_id
