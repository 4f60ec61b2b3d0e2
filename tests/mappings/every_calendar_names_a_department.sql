{{ config(severity='warn') }}
-- What: every department that the seeds business_hours and holidays name is delivered.
-- When it matters: a mistyped department works by the company's hours.
-- How to resolve: operations correct scope_id in the seed, or deliver the department.
with

named as (

    select
        'business_hours' as seed,
        scope_id
    from {{ ref('business_hours') }}
    where scope_type = 'department'
    union all
    select
        'holidays' as seed,
        scope_id
    from {{ ref('holidays') }}
    where scope_type = 'department'

)

select
    named.seed,
    named.scope_id
from named
left join {{ ref('dim_departments') }} as departments
    on named.scope_id = departments.department_id
where departments.department_id is null
group by named.seed, named.scope_id
