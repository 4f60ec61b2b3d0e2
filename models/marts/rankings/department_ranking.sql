with

departments as (

    select * from {{ ref('dim_departments') }}

),

{{ ranking_of('department', key='department_id') }}

select
    {{ period_columns('ranking') }},
    ranking.department_id,
    {{ nps_block() }},
    {{ ranking_columns() }},
    departments.department_name,
    departments.parent_department_id
from ranking
left join departments
    on ranking.department_id = departments.department_id
