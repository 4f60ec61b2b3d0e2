select
    follow_up_id,
    response_id,
    {{ shown_agent('owner_agent_id') }} as owner_agent_id,
    opened_at,
    first_contacted_at,
    closed_at,
    outcome,
    root_cause,
    updated_at
from {{ ref('stg_follow_ups') }}
