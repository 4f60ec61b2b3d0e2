{{ config(enabled=var('zendesk_schema') is not none) }}

select
    cast(id as varchar) as contact_id,
    cast(group_id as varchar) as department_id,
    cast(via_channel as varchar) as channel,
    cast(cast(created_at as timestamp) as varchar) || 'Z' as started_at,
    cast(assignee_id as varchar) as agent_id,
    cast(requester_id as varchar) as customer_id,
    cast(type as varchar) as reason,
    cast(null as varchar) as product_line,
    cast(null as varchar) as site,
    cast(null as varchar) as ended_at,
    cast(null as varchar) as queue_seconds,
    cast(null as varchar) as hold_seconds,
    cast(null as varchar) as handle_seconds,
    cast(null as varchar) as transfers,
    cast(null as varchar) as is_resolved,
    cast(cast(updated_at as timestamp) as varchar) || 'Z' as updated_at,
    cast(null as varchar) as _line_error,
    'zendesk.ticket' as _source_file,
    row_number() over (order by id) as _source_row
from {{ source('zendesk', 'ticket') }}
