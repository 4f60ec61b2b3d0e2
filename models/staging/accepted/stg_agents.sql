with

accepted as (

    {{ newest_versions('agents') }}

)

select
    agent_id,
    coalesce(agent_name, agent_id) as agent_name,
    hired_on,
    left_on,
    updated_at,
    _source_file,
    _source_row
from accepted
