with

assignments as (

    select * from {{ ref('stg_agent_assignments') }}

),

departments as (

    select * from {{ ref('stg_departments') }}

)

select
    {{ shown_agent('assignments.agent_id') }} as agent_id,
    assignments.agent_id as source_agent_id,
    case
        when assignments.department_id is null then null
        else coalesce(departments.department_id, 'unknown')
    end as department_id,
    coalesce(assignments.team, 'unknown') as team,
    assignments.valid_from,
    assignments.valid_to,
    -- Joins compare with this one: an `or` in their condition would make them loops.
    coalesce(assignments.valid_to, timestamp '9999-12-31 00:00:00') as valid_until
from assignments
left join departments
    on assignments.department_id = departments.department_id
