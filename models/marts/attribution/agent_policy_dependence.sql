{% set period = ['survey_type', 'period_type', 'period_start', 'period_end', 'is_complete'] %}

with

scores as (

    select * from {{ ref('agent_scores_by_policy') }}

),

agents as (

    select * from {{ ref('dim_agents') }}

),

-- One column a policy; an agent may have answers by some policies only.
side_by_side as (

    select
        {{ period_columns() }},
        agent_id,
        {% for policy in attribution_policies() -%}
            {% for column in ['attributed_responses', 'nps', 'nps_rank'] -%}
                max(case when attribution_policy = '{{ policy }}' then {{ column }} end)
                    as {{ policy }}_{{ column.replace('attributed_', '') }},
            {% endfor -%}
        {%- endfor %}
        max(case when attribution_policy = 'last_agent' then nps_ci_low end)
            as last_agent_nps_ci_low,
        max(case when attribution_policy = 'last_agent' then nps_ci_high end)
            as last_agent_nps_ci_high,
        min(nps) as lowest_nps,
        max(nps) as highest_nps,
        max(nps_rank) - min(nps_rank) as rank_range,
        count(*) = {{ attribution_policies() | length }}
        and max(case when is_reportable then 0 else 1 end) = 0 as is_reportable
    from scores
    group by
        {{ period_columns() }},
        agent_id

)

select
    {{ period_columns('side_by_side') }},
    side_by_side.agent_id,
    {% for policy in attribution_policies() -%}
        {% for column in ['responses', 'nps', 'nps_rank'] -%}
            side_by_side.{{ policy }}_{{ column }},
        {% endfor -%}
    {%- endfor %}
    side_by_side.last_agent_nps_ci_low,
    side_by_side.last_agent_nps_ci_high,
    side_by_side.highest_nps - side_by_side.lowest_nps as nps_range,
    side_by_side.rank_range,
    side_by_side.is_reportable,
    (
        side_by_side.is_reportable
        and (
            side_by_side.lowest_nps < side_by_side.last_agent_nps_ci_low
            or side_by_side.highest_nps > side_by_side.last_agent_nps_ci_high
        )
    ) as is_policy_dependent,
    agents.agent_name
from side_by_side
left join agents
    on side_by_side.agent_id = agents.agent_id
