{# What is no whole number is refused when a run starts, after this is read. #}
{% set shown = var('nps_transfer_path_legs') | int %}

with

contacts as (

    select * from {{ ref('fct_contacts') }}

),

legs as (

    select * from {{ ref('categorized_contact_legs') }}

),

handled_by_several as (

    select contact_id
    from legs
    group by contact_id
    having count(*) > 1

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
    inner join handled_by_several
        on legs.contact_id = handled_by_several.contact_id

),

-- Step by step: texts that an aggregate sorts have to fit into memory, of all contacts at once.
paths as (

    select
        contact_id,
        {% for leg in range(1, shown + 1) -%}
            {% set step = "department_id" if leg == 1 else "' > ' || department_id" -%}
            {{ "|| " if leg > 1 }}coalesce(max(case when leg = {{ leg }} then {{ step }} end), '')
        {% endfor -%}
        || case when max(leg) > {{ shown }} then ' > …' else '' end as transfer_path,
        count(*) as legs,
        nullif(count(distinct source_department_id), 0) as departments_touched,
        max(case when leg = 1 then department_id end) as first_department_id,
        max(case when leg = 1 then agent_id end) as first_agent_id
    from passed_on
    group by contact_id
    union all
    -- Most contacts have one leg: of those there is nothing to put in order.
    select
        legs.contact_id,
        legs.department_id as transfer_path,
        1 as legs,
        case when legs.source_department_id is not null then 1 end as departments_touched,
        legs.department_id as first_department_id,
        legs.agent_id as first_agent_id
    from legs
    left join handled_by_several
        on legs.contact_id = handled_by_several.contact_id
    where handled_by_several.contact_id is null

)

select
    contacts.contact_id,
    coalesce(paths.transfer_path, contacts.department_id) as transfer_path,
    coalesce(paths.legs, 0) as legs,
    -- Without legs a contact that was not passed on was in one department; of others nobody knows.
    cast(
        coalesce(
            paths.departments_touched,
            case when paths.contact_id is null and contacts.transfers = 0 then 1 end
        ) as bigint
    ) as departments_touched,
    coalesce(paths.first_department_id, contacts.department_id) as first_department_id,
    coalesce(paths.first_agent_id, contacts.agent_id) as first_agent_id
from contacts
left join paths
    on contacts.contact_id = paths.contact_id
