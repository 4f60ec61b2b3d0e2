-- Several agents can share a shown key (var agent_identity: {{ var('agent_identity') }}).
select
    {{ shown_agent('agent_id') }} as agent_id,
    min({{ shown_agent_name('agent_id', 'agent_name') }}) as agent_name,
    {% if var('agent_identity') == 'none' -%}
        cast(null as date) as hired_on,
        cast(null as date) as left_on
    {% else -%}
        min(hired_on) as hired_on,
        max(left_on) as left_on
    {% endif %}
from {{ ref('stg_agents') }}
group by {{ shown_agent('agent_id') }}
