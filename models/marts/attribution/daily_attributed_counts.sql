{% set conditions = {
    'first_agent': 'is_first_agent', 'longest_leg': 'is_longest_leg', 'shared': 'weight > 0',
} %}

with

responses as (

    select * from {{ ref('fct_survey_responses') }}

),

agents as (

    select * from {{ ref('answered_contact_agents') }}

),

-- A contact without legs is its agent's by every policy.
with_agents as (

    select
        responses.survey_type,
        responses.period_date,
        responses.nps_category,
        coalesce(agents.agent_id, responses.agent_id) as agent_id,
        coalesce(agents.is_first_agent, true) as is_first_agent,
        coalesce(agents.is_longest_leg, true) as is_longest_leg,
        coalesce(agents.weight, {{ double_literal(1) }}) as weight
    from responses
    left join agents
        on responses.contact_id = agents.contact_id

),

attributed as (

    select
        'last_agent' as attribution_policy,
        agent_id,
        survey_type,
        period_date,
        nps_category,
        {{ double_literal(1) }} as weight
    from responses
    {% for policy, condition in conditions.items() -%}
        union all
        select
            '{{ policy }}' as attribution_policy,
            agent_id,
            survey_type,
            period_date,
            nps_category,
            {{ 'weight' if policy == 'shared' else double_literal(1) ~ ' as weight' }}
        from with_agents
        where {{ condition }}
    {% endfor %}
)

select
    attribution_policy,
    agent_id,
    survey_type,
    period_date,
    count(*) as answers,
    {{ sum_of_doubles('weight') }} as attributed_responses,
    {% for category in ['promoter', 'passive', 'detractor'] -%}
        {{ sum_of_doubles("case when nps_category = '" ~ category ~ "' then weight else 0 end") }}
            as attributed_{{ category }}s,
    {% endfor -%}
    {{ sum_of_doubles('weight * weight') }} as squared_weights
from attributed
group by attribution_policy, agent_id, survey_type, period_date
