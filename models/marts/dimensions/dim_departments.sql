with

departments as (

    select * from {{ ref('stg_departments') }}
    -- A department that calls itself the unknown one is the unknown one.
    where department_id <> 'unknown'

),

ancestors as (

    select * from {{ ref('department_ancestors') }}

),

depths as (

    select
        department_id,
        max(levels_above) as department_level
    from ancestors
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
    depths.department_level,
    parents.department_id is not null as has_departments_below,
    departments.site
from departments
inner join depths
    on departments.department_id = depths.department_id
left join parents
    on departments.department_id = parents.department_id
union all
select
    'unknown' as department_id,
    'Unknown' as department_name,
    null as parent_department_id,
    0 as department_level,
    false as has_departments_below,
    null as site
