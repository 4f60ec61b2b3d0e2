with

open_cases as (

    select * from {{ ref('detractor_cases') }}
    where closed_at is null

)

select
    case_id,
    row_number() over (
        order by priority_rank nulls last, due_at nulls last, opened_at, case_id
    ) as queue_rank,
    priority,
    case_status,
    due_at,
    is_overdue,
    opened_at,
    business_hours_open,
    owner_agent_id,
    department_id,
    team,
    channel,
    contact_reason,
    response_id,
    customer_id,
    segment,
    survey_type,
    score,
    has_comment,
    is_repeat_detractor
from open_cases
