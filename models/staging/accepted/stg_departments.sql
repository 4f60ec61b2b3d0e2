with

accepted as (

    select * from {{ ref('judged_departments') }}
    where rejection_reason is null

)

select
    department_id,
    coalesce(department_name, department_id) as department_name,
    parent_department_id,
    site,
    updated_at,
    _source_file,
    _source_row
from accepted
