-- Paths are doubled instead of walked: after step n every ancestor up to 2^n levels above is known.
{% set steps = 7 %}

with

departments as (

    select * from {{ ref('stg_departments') }}

),

paths_0 as (

    select
        department_id,
        department_id as ancestor_id,
        0 as levels_above
    from departments
    union all
    select
        department_id,
        parent_department_id as ancestor_id,
        1 as levels_above
    from departments
    where parent_department_id is not null

),

{% for step in range(1, steps + 1) -%}
    paths_{{ step }} as {{ materialized() }} (

        select
            lower_path.department_id,
            upper_path.ancestor_id,
            min(lower_path.levels_above + upper_path.levels_above) as levels_above
        from paths_{{ step - 1 }} as lower_path
        inner join paths_{{ step - 1 }} as upper_path
            on lower_path.ancestor_id = upper_path.department_id
        group by lower_path.department_id, upper_path.ancestor_id

    ),

{% endfor -%}
closed as (

    select * from paths_{{ steps }}

)

select * from closed
