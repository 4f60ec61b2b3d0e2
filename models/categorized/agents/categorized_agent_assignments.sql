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
    assignments.valid_to
from assignments
left join departments
    on assignments.department_id = departments.department_id
