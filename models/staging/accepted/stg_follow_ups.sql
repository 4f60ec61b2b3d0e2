with

accepted as (

    {{ newest_versions('follow_ups') }}

)

select
    follow_up_id,
    response_id,
    owner_agent_id,
    opened_at,
    first_contacted_at,
    closed_at,
    outcome,
    root_cause,
    updated_at,
    _source_file,
    _source_row
from accepted
