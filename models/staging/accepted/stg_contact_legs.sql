with

accepted as (

    {{ newest_versions('contact_legs') }}

)

select
    contact_id,
    leg_number,
    agent_id,
    department_id,
    started_at,
    handle_seconds,
    _source_file,
    _source_row
from accepted
