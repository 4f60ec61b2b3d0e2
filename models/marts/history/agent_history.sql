with

assignments as (

    select * from {{ ref('categorized_agent_assignments') }}

),

assigned as (

    select agent_id from assignments
    group by agent_id

),

members as (

    select * from {{ ref('members_now') }}
    where member_type = 'agent'

),

versions as (

    -- Agents who share a shown key have no history of their own.
    select
        assignments.agent_id,
        assignments.valid_from,
        assignments.valid_to,
        coalesce(assignments.department_id, 'unknown') as department_id,
        assignments.team,
        'assignments' as known_from
    from assignments
    inner join members
        on assignments.agent_id = members.member_id
    union all
    select
        versions.member_id as agent_id,
        versions.valid_from,
        versions.valid_to,
        versions.parent_id as department_id,
        versions.team,
        'publications' as known_from
    from {{ ref('member_versions') }} as versions
    left join assigned
        on versions.member_id = assigned.agent_id
    where
        versions.member_type = 'agent'
        and assigned.agent_id is null

)

select
    versions.agent_id,
    cast(row_number() over (
        partition by versions.agent_id order by versions.valid_from
    ) as integer) as version_number,
    versions.valid_from,
    versions.valid_to,
    versions.department_id,
    versions.team,
    versions.known_from,
    members.parent_id as department_id_today,
    members.team as team_today,
    members.member_id is not null as is_delivered_today
from versions
left join members
    on versions.agent_id = members.member_id
