{% set shown = var('nps_transfer_path_legs') %}

with

contacts as (

    select * from {{ ref('fct_contacts') }}

),

legs as (

    select * from {{ ref('categorized_contact_legs') }}

),

-- Most contacts have one leg: of those there is nothing to put in order.
handled as (

    select
        contact_id,
        count(*) as legs,
        min(department_id) as department_id,
        min(agent_id) as agent_id,
        case when count(source_department_id) > 0 then 1 end as departments_touched
    from legs
    group by contact_id

),

-- Numbers of legs may have gaps.
passed_on as (

    select
        legs.contact_id,
        legs.department_id,
        legs.source_department_id,
        legs.agent_id,
        row_number() over (
            partition by legs.contact_id
            order by legs.leg_number
        ) as leg
    from legs
    inner join handled
        on legs.contact_id = handled.contact_id
    where handled.legs > 1

),

steps as (

    select
        *,
        case
            when leg = 1 then department_id
            when leg <= {{ shown }} then ' > ' || department_id
            when leg = {{ shown + 1 }} then ' > …'
            else ''
        end as step
    from passed_on

),

paths as (

    select
        contact_id,
        {{ joined_texts('step', 'leg') }} as transfer_path,
        nullif(count(distinct source_department_id), 0) as departments_touched,
        max(case when leg = 1 then department_id end) as first_department_id,
        max(case when leg = 1 then agent_id end) as first_agent_id
    from steps
    group by contact_id

)

select
    contacts.contact_id,
    coalesce(paths.transfer_path, handled.department_id, contacts.department_id) as transfer_path,
    coalesce(handled.legs, 0) as legs,
    -- Without legs a contact that was not passed on was in one department; of others nobody knows.
    cast(
        coalesce(
            paths.departments_touched,
            handled.departments_touched,
            case when handled.contact_id is null and contacts.transfers = 0 then 1 end
        ) as bigint
    ) as departments_touched,
    coalesce(paths.first_department_id, handled.department_id, contacts.department_id)
        as first_department_id,
    coalesce(paths.first_agent_id, handled.agent_id, contacts.agent_id) as first_agent_id
from contacts
left join handled
    on contacts.contact_id = handled.contact_id
left join paths
    on contacts.contact_id = paths.contact_id
