with

agent_counts as (

    select * from {{ ref('period_response_counts') }}
    where scope_type = 'agent'

),

agents as (

    select * from {{ ref('dim_agents') }}

),

departments_of_agents as (

    select * from {{ ref('agent_departments_by_period') }}

),

counts as (

    select
        {{ period_columns() }},
        scope_id as agent_id,
        responses,
        promoters,
        passives,
        detractors
    from agent_counts

),

{{ nps_block_of('counts') }}

select
    {{ period_columns('with_block') }},
    with_block.agent_id,
    {{ nps_block() }},
    agents.agent_name,
    coalesce(departments_of_agents.department_id, 'unknown') as department_id
from with_block
left join agents
    on with_block.agent_id = agents.agent_id
left join departments_of_agents
    on
        with_block.agent_id = departments_of_agents.agent_id
        and with_block.period_end = departments_of_agents.period_end
