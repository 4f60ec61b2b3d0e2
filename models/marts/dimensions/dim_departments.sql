select
    department_id,
    department_name,
    parent_department_id,
    department_level,
    has_departments_below,
    site
from {{ ref('categorized_departments') }}
-- A department that calls itself the unknown one is the unknown one.
where department_id <> 'unknown'
union all
select
    'unknown' as department_id,
    'Unknown' as department_name,
    null as parent_department_id,
    0 as department_level,
    false as has_departments_below,
    null as site
