with

department_counts as (

    select * from {{ ref('period_response_counts') }}
    where scope_type = 'department'

),

departments as (

    select * from {{ ref('dim_departments') }}

),

ancestors as (

    select * from {{ ref('department_ancestors') }}

),

own as (

    select
        {{ period_columns() }},
        scope_id as department_id,
        false as is_rollup,
        responses,
        promoters,
        passives,
        detractors
    from department_counts

),

rolled_up as (

    select
        {{ period_columns('department_counts') }},
        ancestors.ancestor_id as department_id,
        true as is_rollup,
        {{ summed_counts('department_counts') }}
    from department_counts
    inner join ancestors
        on department_counts.scope_id = ancestors.department_id
    inner join departments
        on
            ancestors.ancestor_id = departments.department_id
            and departments.has_departments_below
    group by
        {{ period_columns('department_counts') }},
        ancestors.ancestor_id

),

counts as (

    select * from own
    union all
    select * from rolled_up

),

{{ nps_block_of('counts') }}

select
    {{ period_columns('with_block') }},
    with_block.department_id,
    with_block.is_rollup,
    {{ nps_block() }},
    departments.department_name,
    departments.parent_department_id
from with_block
left join departments
    on with_block.department_id = departments.department_id
