with

responses as (

    {{ newest_versions('survey_responses') }}

),

listed as (

    select response_id from {{ ref('excluded_responses') }}
    group by response_id

)

select
    responses.response_id,
    responses.score,
    responses.responded_at,
    responses.survey_type,
    responses.survey_id,
    responses.invitation_id,
    responses.contact_id,
    responses.customer_id,
    responses.survey_channel,
    responses.csat_score,
    responses.effort_score,
    responses.comment,
    responses.language,
    responses.status,
    responses.is_test,
    responses.updated_at,
    responses.record_key,
    -- The first that holds, in this order.
    case
        when responses.status = 'dismissed' then 'dismissed'
        when responses.is_test then 'test'
        when listed.response_id is not null then 'listed'
    end as exclusion_reason,
    responses._source_file,
    responses._source_row
from responses
left join listed
    on responses.response_id = listed.response_id
