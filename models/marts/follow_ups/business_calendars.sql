with

departments as (

    select * from {{ ref('dim_departments') }}

),

-- A department that has hours or holidays of its own has a calendar of its own.
named as (

    select
        scope_id as department_id,
        max(has_hours) as has_hours
    from (
        select
            scope_id,
            1 as has_hours
        from {{ ref('business_hours') }}
        where scope_type = 'department'
        union all
        select
            scope_id,
            0 as has_hours
        from {{ ref('holidays') }}
        where scope_type = 'department'
    ) as rows_of_departments
    group by scope_id

),

-- The nearest first: a department is its own nearest ancestor.
ancestors as (

    select
        paths.department_id,
        paths.ancestor_id,
        named.has_hours,
        row_number() over (
            partition by paths.department_id
            order by paths.levels_above, paths.ancestor_id
        ) as place,
        row_number() over (
            partition by paths.department_id, named.has_hours
            order by paths.levels_above, paths.ancestor_id
        ) as place_of_kind
    from {{ ref('department_ancestors') }} as paths
    inner join named
        on paths.ancestor_id = named.department_id

),

nearest as (

    select
        department_id,
        max(case when place = 1 then ancestor_id end) as calendar_department_id,
        max(case when has_hours = 1 and place_of_kind = 1 then ancestor_id end)
            as hours_department_id
    from ancestors
    group by department_id

)

select
    departments.department_id,
    coalesce('department ' || nearest.calendar_department_id, 'company') as calendar_id,
    nearest.calendar_department_id,
    nearest.hours_department_id
from departments
left join nearest
    on departments.department_id = nearest.department_id
