{% set keys_of_scopes = {
    'company': none, 'department': 'department_id', 'channel': 'channel', 'site': 'site',
    'product_line': 'product_line', 'team': 'team', 'agent': 'agent_id',
} %}

with

windows as (

    select * from {{ ref('initiative_windows') }}
    where
        window_key is not null
        and {{ is_a_member('scope_id') }}

),

ancestors as (

    select * from {{ ref('department_ancestors') }}

),

-- The keys of the answers that an initiative is about: of a department all below it, too.
treated as (

    select
        windows.*,
        coalesce(ancestors.department_id, windows.scope_id) as treated_key
    from windows
    left join ancestors
        on
            windows.scope_type = 'department'
            and windows.scope_id = ancestors.ancestor_id

),

answers as (

    select * from {{ ref('fct_survey_responses') }}

)

{% for scope, key in keys_of_scopes.items() -%}
    select
        treated.initiative_id,
        answers.response_id,
        answers.survey_type,
        answers.period_date >= treated.after_start as is_after,
        answers.contact_reason,
        answers.channel,
        answers.nps_category,
        answers.comment is not null as is_commented
    from answers
    inner join treated
        on
            treated.scope_type = '{{ scope }}'
            {% if key -%}
                and answers.{{ key }} = treated.treated_key
            {% endif -%}
            and answers.period_date >= treated.before_start
            and answers.period_date <= treated.after_end
    where
        answers.period_date <= treated.before_end
        or answers.period_date >= treated.after_start
    {{- "
    union all
    " if not loop.last }}
{% endfor %}
