{% set shown = var('nps_transfer_path_legs') %}

with

contacts as (

    select * from {{ ref('fct_contacts') }}

),

-- Numbers of legs may have gaps.
legs as (

    select
        contact_id,
        department_id,
        source_department_id,
        agent_id,
        row_number() over (
            partition by contact_id
            order by leg_number
        ) as leg
    from {{ ref('categorized_contact_legs') }}

),

shown_legs as (

    select
        *,
        case
            when leg = 1 then department_id
            when leg <= {{ shown }} then ' > ' || department_id
            when leg = {{ shown + 1 }} then ' > …'
            else ''
        end as step
    from legs

),

paths as (

    select
        contact_id,
        count(*) as legs,
        {{ joined_texts('step', 'leg') }} as transfer_path,
        cast(count(distinct source_department_id) as bigint) as departments_touched,
        max(case when leg = 1 then department_id end) as first_department_id,
        max(case when leg = 1 then agent_id end) as first_agent_id
    from shown_legs
    group by contact_id

)

select
    contacts.contact_id,
    coalesce(paths.transfer_path, contacts.department_id) as transfer_path,
    coalesce(paths.legs, 0) as legs,
    -- Without legs a contact that was not passed on was in one department; of others nobody knows.
    coalesce(
        nullif(paths.departments_touched, 0),
        case when paths.contact_id is null and contacts.transfers = 0 then 1 end
    ) as departments_touched,
    coalesce(paths.first_department_id, contacts.department_id) as first_department_id,
    coalesce(paths.first_agent_id, contacts.agent_id) as first_agent_id
from contacts
left join paths
    on contacts.contact_id = paths.contact_id
