{{ config(enabled=var('zendesk_schema') is not none) }}

with

-- One row per rating of a ticket: a later one is a correction, and the newest counts.
ratings as (

    select
        ticket_id,
        updated,
        cast(value as varchar) as score
    from {{ source('zendesk', 'ticket_field_history') }}
    where
        field_name = '{{ var("zendesk_score_field") }}'
        and value is not null
        -- A survey that was offered is no answer.
        and lower(cast(value as varchar)) not in ('offered', 'unoffered', '')

)

select
    cast(ratings.ticket_id as varchar) as response_id,
    ratings.score,
    cast(cast(ratings.updated as timestamp) as varchar) || 'Z' as responded_at,
    'transactional' as survey_type,
    cast(null as varchar) as survey_id,
    cast(null as varchar) as invitation_id,
    cast(ratings.ticket_id as varchar) as contact_id,
    cast(tickets.requester_id as varchar) as customer_id,
    cast(null as varchar) as survey_channel,
    cast(null as varchar) as csat_score,
    cast(null as varchar) as effort_score,
    cast(null as varchar) as comment,
    cast(null as varchar) as language,
    cast(null as varchar) as status,
    cast(null as varchar) as is_test,
    cast(cast(ratings.updated as timestamp) as varchar) || 'Z' as updated_at,
    cast(null as varchar) as _line_error,
    'zendesk.ticket_field_history' as _source_file,
    row_number() over (order by ratings.ticket_id, ratings.updated, ratings.score) as _source_row
from ratings
left join {{ source('zendesk', 'ticket') }} as tickets
    on ratings.ticket_id = tickets.id
