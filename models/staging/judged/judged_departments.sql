-- A parent chain has to end at a root. Pointers are doubled instead of followed one by one: after
-- step n a department points 2^n levels up, so {{ 2 ** 7 }} levels are seen in seven joins.
{% set steps = 7 %}

with

departments as (

    {{ newest_versions('departments') }}

),

chain_0 as (

    select
        department_id,
        parent_department_id as pointer,
        parent_department_id is null as ends_at_root
    from departments

),

{% for step in range(1, steps + 1) -%}
    chain_{{ step }} as {{ materialized() }} (

        select
            here.department_id,
            above.pointer,
            here.ends_at_root or coalesce(above.ends_at_root, false) as ends_at_root
        from chain_{{ step - 1 }} as here
        left join chain_{{ step - 1 }} as above
            on here.pointer = above.department_id

    ),

{% endfor -%}
judged as (

    select
        departments.department_id,
        departments.department_name,
        departments.parent_department_id,
        departments.site,
        departments.updated_at,
        departments.record_key,
        case
            when not chain_{{ steps }}.ends_at_root then 'parent chain does not end at a root'
        end as rejection_reason,
        'parent_department_id' as rejected_column,
        departments.parent_department_id as rejected_value,
        departments._source_file,
        departments._source_row
    from departments
    inner join chain_{{ steps }}
        on departments.department_id = chain_{{ steps }}.department_id

)

select * from judged
