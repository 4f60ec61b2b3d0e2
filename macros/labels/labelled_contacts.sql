{# Accepted contacts with their labels.

   contacts: relation with rows of stg_contacts.
   named:    what finds a relation by its name: `ref`, or `relation_named` where the lineage is told
             by a view of the same rows. #}
{% macro labelled_contacts(contacts, named) -%}
with

contacts as (

    select * from {{ contacts }}

),

departments as (

    select * from {{ named('stg_departments') }}

),

customers as (

    select *
    from {{ linked_rows(
        named('categorized_customers'), 'customer_id', 'select customer_id from contacts'
    ) }}

),

assignments as (

    select * from {{ named('categorized_agent_assignments') }}

),

channels as (

    {% if is_incremental() -%}
        {{ labelled_channels('contacts', named) }}
    {%- else -%}
        select * from {{ named('categorized_channels') }}
    {%- endif %}

),

categorized as (

    select
        contacts.contact_id,
        coalesce(departments.department_id, 'unknown') as department_id,
        contacts.department_id as source_department_id,
        coalesce(channels.channel, 'unknown') as channel,
        contacts.channel as source_channel,
        coalesce({{ shown_agent('contacts.agent_id') }}, 'unknown') as agent_id,
        {{ shown_agent('contacts.agent_id') }} as source_agent_id,
        -- Ranges of one agent do not overlap, so this join finds at most one.
        coalesce(assignments.team, 'unknown') as team,
        coalesce(contacts.customer_id, 'unknown') as customer_id,
        contacts.customer_id as source_customer_id,
        coalesce(customers.segment, 'unknown') as segment,
        coalesce(contacts.reason, 'unknown') as contact_reason,
        contacts.reason as source_contact_reason,
        coalesce(contacts.product_line, customers.product_line, 'unknown') as product_line,
        contacts.product_line as source_product_line,
        coalesce(contacts.site, departments.site, 'unknown') as site,
        contacts.site as source_site,
        contacts.started_at,
        contacts.ended_at,
        {{ local_date('contacts.started_at') }} as contact_date,
        {{ local_weekday('contacts.started_at') }} as contact_weekday,
        {{ local_hour('contacts.started_at') }} as contact_hour,
        contacts.queue_seconds,
        contacts.hold_seconds,
        contacts.handle_seconds,
        contacts.transfers,
        contacts.is_resolved
    from contacts
    left join departments
        on contacts.department_id = departments.department_id
    left join customers
        on contacts.customer_id = customers.customer_id
    left join channels
        on contacts.channel = channels.source_channel
    left join assignments
        on
            contacts.agent_id = assignments.source_agent_id
            and contacts.started_at >= assignments.valid_from
            and contacts.started_at < assignments.valid_until

)

select * from categorized
{%- endmacro %}
