{{ config(enabled=var('qualtrics_schema') is not none) }}

with

sent as (

    select * from {{ source('qualtrics', 'distribution_contact') }}

),

responses as (

    select * from {{ source('qualtrics', 'survey_response') }}

)

select
    sent.distribution_id || '-' || sent.contact_id as invitation_id,
    -- Known of those who answered only: a distribution does not say its survey here.
    cast(responses.survey_id as varchar) as survey_id,
    cast(null as varchar) as survey_type,
    cast(null as varchar) as contact_id,
    cast(sent.contact_id as varchar) as customer_id,
    cast(null as varchar) as survey_channel,
    cast(cast(sent.sent_at as timestamp) as varchar) || 'Z' as sent_at,
    cast(null as varchar) as delivered_at,
    cast(cast(sent.opened_at as timestamp) as varchar) || 'Z' as opened_at,
    case lower(sent.status)
        when 'pending' then 'sent'
        when 'success' then 'sent'
        when 'started' then 'opened'
        when 'surveystarted' then 'opened'
        when 'partiallyfinished' then 'opened'
        when 'finished' then 'responded'
        when 'surveyfinished' then 'responded'
        when 'hardbounce' then 'bounced'
        when 'softbounce' then 'bounced'
        when 'failure' then 'bounced'
        when 'blocked' then 'bounced'
        when 'optedout' then 'opted_out'
        else cast(sent.status as varchar)
    end as status,
    cast(null as varchar) as updated_at,
    cast(null as varchar) as _line_error,
    'qualtrics.distribution_contact' as _source_file,
    row_number() over (order by sent.distribution_id, sent.contact_id) as _source_row
from sent
left join responses
    on sent.response_id = responses.id
