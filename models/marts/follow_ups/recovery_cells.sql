{% set least = var('nps_min_stratum_responses') %}

with

counted as (

    select
        score,
        contact_reason,
        department_id,
        follow_up,
        {{ category_counts() }}
    from {{ ref('recovery_cases') }}
    group by score, contact_reason, department_id, follow_up

),

-- How many customers without a follow-up there are to compare a cell with, level by level.
compared as (

    select
        *,
        {{ controls_by_level() }}
    from counted

)

select
    score,
    contact_reason,
    department_id,
    follow_up,
    responses,
    promoters,
    passives,
    detractors,
    {% for keys in recovery_levels() -%}
        cast(controls_{{ loop.index }} as bigint) as controls_{{ loop.index }},
    {% endfor -%}
    case
        {% for keys in recovery_levels() if keys -%}
            when controls_{{ loop.index }} >= {{ least }} then {{ loop.index }}
        {% endfor -%}
        when controls_{{ recovery_levels() | length }} > 0 then {{ recovery_levels() | length }}
    end as level_used
from compared
