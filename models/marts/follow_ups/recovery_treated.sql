with

cells as (

    select * from {{ ref('recovery_cells') }}
    where
        follow_up <> 'none'
        and level_used is not null

)

-- Whom the follow-ups of a scope and an outcome reached, cell by cell.
{% for scope_type, scope_id in {'company': "'all'", 'department': 'department_id'}.items() -%}
    {%- set last_scope = loop.last -%}
    {%- for follow_up in ["'any'", 'follow_up'] -%}
        select
            '{{ scope_type }}' as scope_type,
            {{ scope_id }} as scope_id,
            {{ follow_up }} as follow_up,
            score,
            contact_reason,
            department_id,
            {% for keys in recovery_levels() -%}
                cast(sum(case when level_used = {{ loop.index }} then responses else 0 end) as bigint)
                    as responses_at_level_{{ loop.index }},
            {% endfor -%}
            {{ summed_counts() }}
        from cells
        group by score, contact_reason, department_id
            {{- ', follow_up' if follow_up == 'follow_up' }}
        {{ "union all" if not (last_scope and loop.last) }}
    {% endfor -%}
{% endfor %}
