-- Paths are doubled, as in department_ancestors: of the levels from 2^n + 1 to 2^(n + 1) a path is
-- one of exactly 2^n and the rest. It holds while both parts do.
{% set steps = 7 %}
{% set far = "date '9999-12-31'" %}

with

versions as (

    -- On a day with several versions the last one counts.
    select * from {{ ref('department_history') }}
    where valid_from_on < valid_until_on

),

known as (

    select department_id from versions
    group by department_id

),

paths_0 as (

    select
        department_id,
        department_id as ancestor_id,
        0 as levels_above,
        {{ local_date(instant_of_var('nps_earliest')) }} as valid_from_on,
        {{ far }} as valid_until_on
    from known
    union all
    select
        versions.department_id,
        versions.parent_department_id as ancestor_id,
        1 as levels_above,
        versions.valid_from_on,
        versions.valid_until_on
    from versions
    where versions.parent_department_id is not null

),

{% for step in range(steps) -%}
    paths_{{ step + 1 }} as {{ materialized() }} (

        select * from paths_{{ step }}
        union all
        select
            lower_path.department_id,
            upper_path.ancestor_id,
            lower_path.levels_above + upper_path.levels_above as levels_above,
            greatest(lower_path.valid_from_on, upper_path.valid_from_on) as valid_from_on,
            least(lower_path.valid_until_on, upper_path.valid_until_on) as valid_until_on
        from paths_{{ step }} as lower_path
        inner join paths_{{ step }} as upper_path
            on
                lower_path.ancestor_id = upper_path.department_id
                and lower_path.levels_above = {{ 2 ** step }}
                and upper_path.levels_above > 0
                and lower_path.valid_from_on < upper_path.valid_until_on
                and lower_path.valid_until_on > upper_path.valid_from_on

    ),

{% endfor -%}
parents as (

    select parent_department_id as department_id from versions
    where parent_department_id is not null
    group by parent_department_id

)

select
    paths.department_id,
    paths.ancestor_id,
    paths.levels_above,
    paths.valid_from_on,
    paths.valid_until_on
from paths_{{ steps }} as paths
-- As in nps_by_department: what never had any below is no roll-up.
inner join parents
    on paths.ancestor_id = parents.department_id
