{{ config(
    pre_hook="{{ take_out('contact_id', changed_contacts(), dates='contact_date') }}",
    post_hook="{{ note_added('contact_id', dates='contact_date') }}",
) }}

with

contacts as (

    {{ contacts_to_write() }}

),

responses as (

    select
        contact_id,
        response_id,
        nps_category,
        count(*) over (partition by contact_id) as responses,
        row_number() over (
            partition by contact_id
            order by responded_at desc nulls last, response_id desc nulls last
        ) as newest_first
    from {{ responses_to_write('contact_id') }}
    where contact_id is not null

),

latest_responses as (

    select * from responses
    where newest_first = 1

)

select
    contacts.contact_id,
    contacts.department_id,
    contacts.source_department_id,
    contacts.channel,
    contacts.source_channel,
    contacts.agent_id,
    contacts.source_agent_id,
    contacts.team,
    contacts.customer_id,
    contacts.source_customer_id,
    contacts.segment,
    contacts.contact_reason,
    contacts.source_contact_reason,
    contacts.product_line,
    contacts.source_product_line,
    contacts.site,
    contacts.source_site,
    contacts.started_at,
    contacts.ended_at,
    contacts.contact_date,
    contacts.contact_weekday,
    contacts.contact_hour,
    contacts.queue_seconds,
    contacts.hold_seconds,
    contacts.handle_seconds,
    contacts.transfers,
    contacts.is_resolved,
    coalesce(latest_responses.responses, 0) as responses,
    latest_responses.response_id,
    latest_responses.nps_category
from contacts
left join latest_responses
    on contacts.contact_id = latest_responses.contact_id
