{{ config(
    pre_hook="{{ take_out('contact_date', changes_of('fct_contacts', 'contact_date'), type='date') }}",
    post_hook="{{ note_added('contact_date', type='date') }}",
) }}

with

contacts as (

    select
        agent_id,
        contact_date,
        started_at,
        contact_id,
        department_id,
        team
    from {{ changed_rows(ref('fct_contacts'), 'contact_date', type='date') }}
    where source_agent_id is not null

),

last_moments as (

    select
        agent_id,
        contact_date,
        max(started_at) as last_started_at
    from contacts
    group by agent_id, contact_date

),

ordered as (

    select
        contacts.*,
        row_number() over (
            partition by contacts.agent_id, contacts.contact_date
            order by contacts.contact_id desc nulls last
        ) as greatest_id_first
    from contacts
    inner join last_moments
        on
            contacts.agent_id = last_moments.agent_id
            and contacts.started_at = last_moments.last_started_at

)

select
    agent_id,
    contact_date,
    contact_id,
    department_id,
    team
from ordered
where greatest_id_first = 1
