with

agents as (

    select * from {{ ref('dim_agents') }}

),

departments_of_agents as (

    select * from {{ ref('agent_departments_by_period') }}

),

{{ ranking_of('agent', key='agent_id') }}

select
    {{ period_columns('ranking') }},
    ranking.agent_id,
    {{ nps_block() }},
    {{ ranking_columns() }},
    agents.agent_name,
    coalesce(departments_of_agents.department_id, 'unknown') as department_id
from ranking
left join agents
    on ranking.agent_id = agents.agent_id
left join departments_of_agents
    on
        ranking.agent_id = departments_of_agents.agent_id
        and ranking.period_end = departments_of_agents.period_end
