with

as_of as (

    select * from {{ ref('as_of') }}

),

assignments as (

    select
        assignments.agent_id,
        min(assignments.department_id) as department_id,
        min(assignments.team) as team
    from {{ ref('categorized_agent_assignments') }} as assignments
    inner join as_of
        on
            assignments.valid_from <= as_of.as_of
            and assignments.valid_until > as_of.as_of
    group by assignments.agent_id

),

last_contacts as (

    select
        *,
        row_number() over (
            partition by agent_id order by contact_date desc nulls last, contact_id desc nulls last
        ) as newest_first
    from {{ ref('agent_last_contacts') }}

)

select
    'department' as member_type,
    department_id as member_id,
    department_name as member_name,
    parent_department_id as parent_id,
    site,
    cast(null as {{ engine_type('varchar') }}) as team
from {{ ref('dim_departments') }}
where department_id <> 'unknown'
union all
-- Names of agents are not kept: how they are shown may change, what was kept would stay.
select
    'agent' as member_type,
    agents.agent_id as member_id,
    null as member_name,
    coalesce(assignments.department_id, last_contacts.department_id, 'unknown') as parent_id,
    null as site,
    coalesce(assignments.team, 'unknown') as team
from {{ ref('dim_agents') }} as agents
left join assignments
    on agents.agent_id = assignments.agent_id
left join last_contacts
    on
        agents.agent_id = last_contacts.agent_id
        and last_contacts.newest_first = 1
where agents.agent_id not in ('unknown', 'withheld')
