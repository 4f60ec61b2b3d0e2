with

contacts as (

    select * from {{ ref('fct_contacts') }}

),

invited as (

    select source_contact_id as contact_id
    from {{ ref('fct_survey_invitations') }}
    where source_contact_id is not null
    group by source_contact_id

)

select
    {{ period_start('month', 'contacts.contact_date') }} as month_start,
    contacts.department_id,
    contacts.agent_id,
    contacts.channel,
    -- Null where neither is known to be so: such a contact is on no side.
    case
        when not contacts.is_resolved or contacts.transfers > 0 then true
        when contacts.is_resolved and contacts.transfers = 0 then false
    end as is_hard,
    count(*) as contacts,
    count(invited.contact_id) as invited_contacts
from contacts
left join invited
    on contacts.contact_id = invited.contact_id
group by
    {{ period_start('month', 'contacts.contact_date') }},
    contacts.department_id,
    contacts.agent_id,
    contacts.channel,
    case
        when not contacts.is_resolved or contacts.transfers > 0 then true
        when contacts.is_resolved and contacts.transfers = 0 then false
    end
