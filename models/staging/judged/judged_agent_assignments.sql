with

assignments as (

    {{ newest_versions('agent_assignments') }}

),

contested as (

    select * from {{ ref('contested_assignment_ranges') }}

),

judged as (

    select
        assignments.agent_id,
        assignments.department_id,
        assignments.team,
        assignments.valid_from,
        assignments.valid_to,
        assignments.delivered_valid_from,
        assignments.delivered_valid_to,
        assignments.record_key,
        case
            when assignments.valid_to <= assignments.valid_from then 'ends before it begins'
            when not contested.stays then 'overlaps an earlier range of the agent'
        end as rejection_reason,
        assignments._source_file,
        assignments._source_row
    from assignments
    left join contested
        on
            assignments.agent_id = contested.agent_id
            and assignments.valid_from = contested.valid_from

)

select
    *,
    case rejection_reason
        when 'ends before it begins' then 'valid_to'
        else 'valid_from'
    end as rejected_column,
    case rejection_reason
        when 'ends before it begins' then delivered_valid_to
        else delivered_valid_from
    end as rejected_value
from judged
