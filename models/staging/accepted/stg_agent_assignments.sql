with

accepted as (

    select * from {{ ref('judged_agent_assignments') }}
    where rejection_reason is null

)

select
    agent_id,
    department_id,
    team,
    valid_from,
    valid_to,
    _source_file,
    _source_row
from accepted
