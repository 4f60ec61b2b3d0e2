with

cells as (

    select
        *,
        'any' as any_follow_up
    from {{ ref('recovery_cells') }}
    where
        follow_up <> 'none'
        and level_used is not null

),

-- Whom the follow-ups of a scope and an outcome, or of any, reached: cell by cell.
scoped as (

    {% for follow_up in ['any_follow_up', 'follow_up'] -%}
        select
            'company' as scope_type,
            'all' as scope_id,
            {{ follow_up }} as way,
            cells.*
        from cells
        union all
        select
            'department' as scope_type,
            department_id as scope_id,
            {{ follow_up }} as way,
            cells.*
        from cells
        {{ "union all" if not loop.last }}
    {% endfor %}

)

select
    scope_type,
    scope_id,
    way as follow_up,
    score,
    contact_reason,
    department_id,
    {{ responses_by_level() }},
    {{ summed_counts() }}
from scoped
group by scope_type, scope_id, way, score, contact_reason, department_id
