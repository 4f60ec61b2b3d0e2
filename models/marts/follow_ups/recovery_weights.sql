with

cells as (

    select * from {{ ref('recovery_cells') }}

),

controls as (

    select * from cells
    where follow_up = 'none'

),

treated as (

    select * from {{ ref('recovery_treated') }}

),

-- At each level the customers without share the weight of those with alike.
shared as (

    {% for keys in recovery_levels() -%}
        {%- set level = loop.index -%}
        select
            treated.scope_type,
            treated.scope_id,
            treated.follow_up,
            controls.score,
            controls.contact_reason,
            controls.department_id,
            cast(treated.responses_at_level_{{ level }} as {{ double_type() }})
            / controls.controls_{{ level }} as weight
        from treated
        inner join controls
            on
                {% for key in keys -%}
                    treated.{{ key }} = controls.{{ key }} and{{ ' ' }}
                {%- endfor -%}
                treated.responses_at_level_{{ level }} > 0
        {{ "union all" if not loop.last }}
    {% endfor %}

),

weighted as (

    select
        scope_type,
        scope_id,
        follow_up,
        score,
        contact_reason,
        department_id,
        {{ sum_of_doubles('weight') }} as weight
    from shared
    group by scope_type, scope_id, follow_up, score, contact_reason, department_id

)

select
    weighted.scope_type,
    weighted.scope_id,
    weighted.follow_up,
    weighted.score,
    weighted.contact_reason,
    weighted.department_id,
    weighted.weight,
    controls.responses,
    controls.promoters,
    controls.passives,
    controls.detractors
from weighted
inner join controls
    on
        weighted.score = controls.score
        and weighted.contact_reason = controls.contact_reason
        and weighted.department_id = controls.department_id
