with

agents as (

    select * from {{ ref('categorized_agents') }}

),

keys as (

    select agent_id from {{ ref('fct_contacts') }}
    union all
    select agent_id from agents
    union all
    select 'unknown' as agent_id

),

every_key as (

    select agent_id from keys
    group by agent_id

)

select
    every_key.agent_id,
    -- An agent who is not in the delivered list is shown by its id.
    case
        when every_key.agent_id = 'unknown' then 'Unknown'
        else coalesce(agents.agent_name, every_key.agent_id)
    end as agent_name,
    agents.hired_on,
    agents.left_on,
    agents.agent_id is not null as is_delivered
from every_key
left join agents
    on every_key.agent_id = agents.agent_id
