with

departments as (

    select * from {{ ref('stg_departments') }}

),

levels as (

    select
        department_id,
        max(levels_above) as department_level
    from {{ ref('department_ancestors') }}
    group by department_id

),

parents as (

    select parent_department_id as department_id
    from departments
    where parent_department_id is not null
    group by parent_department_id

)

select
    departments.department_id,
    departments.department_name,
    departments.parent_department_id,
    levels.department_level,
    parents.department_id is not null as has_departments_below,
    departments.site
from departments
inner join levels
    on departments.department_id = levels.department_id
left join parents
    on departments.department_id = parents.department_id
