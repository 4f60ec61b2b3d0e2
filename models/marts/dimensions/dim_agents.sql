with

agents as (

    select
        {{ shown_agent('agent_id') }} as agent_id,
        min({{ shown_agent_name('agent_id', 'agent_name') }}) as agent_name,
        {% if var('agent_identity') == 'none' -%}
            cast(null as date) as hired_on,
            cast(null as date) as left_on
        {% else -%}
            min(hired_on) as hired_on,
            max(left_on) as left_on
        {% endif -%}
    from {{ ref('stg_agents') }}
    group by {{ shown_agent('agent_id') }}

),

keys as (

    select agent_id from {{ ref('fct_contacts') }}
    union all
    select agent_id from agents
    union all
    select {{ shown_agent('agent_id') }} as agent_id
    from {{ ref('stg_agent_assignments') }}
    union all
    select {{ shown_agent('agent_id') }} as agent_id
    from {{ ref('stg_contact_legs') }}
    where agent_id is not null
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
