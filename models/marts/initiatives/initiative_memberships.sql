{% set pairs = [
    ('department', 'ancestor_id', 'team', 'team'),
    ('department', 'ancestor_id', 'agent', 'agent_id'),
    ('team', 'team', 'agent', 'agent_id'),
] %}

with

-- Few rows, however many answers there are.
groups as (

    select
        department_id,
        team,
        agent_id,
        count(*) as answers
    from {{ ref('fct_survey_responses') }}
    group by department_id, team, agent_id

),

in_departments as (

    select
        ancestors.ancestor_id,
        groups.team,
        groups.agent_id,
        groups.answers
    from groups
    inner join {{ ref('department_ancestors') }} as ancestors
        on groups.department_id = ancestors.department_id

),

totals as (

    {% for scope, key in {'team': 'team', 'agent': 'agent_id'}.items() -%}
        select
            '{{ scope }}' as scope_type,
            {{ key }} as scope_id,
            sum(answers) as answers
        from groups
        where {{ is_a_member(key) }}
        group by {{ key }}
        {{- "
        union all
        " if not loop.last }}
    {% endfor %}

),

parts as (

    {% for upper, upper_key, lower, lower_key in pairs -%}
        select
            '{{ upper }}' as upper_type,
            {{ upper_key }} as upper_id,
            '{{ lower }}' as lower_type,
            {{ lower_key }} as lower_id,
            sum(answers) as answers
        from {{ 'in_departments' if upper == 'department' else 'groups' }}
        where {{ is_a_member(upper_key) }}
        group by {{ upper_key }}, {{ lower_key }}
        {{- "
        union all
        " if not loop.last }}
    {% endfor %}

)

select
    parts.upper_type,
    parts.upper_id,
    parts.lower_type,
    parts.lower_id
from parts
inner join totals
    on
        parts.lower_type = totals.scope_type
        and parts.lower_id = totals.scope_id
where 2 * parts.answers > totals.answers
