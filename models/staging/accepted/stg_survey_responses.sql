with

accepted as (

    select * from {{ ref('judged_survey_responses') }}
    where exclusion_reason is null

)

select
    response_id,
    score,
    responded_at,
    coalesce(
        survey_type, case when contact_id is null then 'relational' else 'transactional' end
    ) as survey_type,
    survey_id,
    invitation_id,
    contact_id,
    customer_id,
    survey_channel,
    csat_score,
    effort_score,
    comment,
    language,
    coalesce(status, 'complete') as status,
    updated_at,
    _source_file,
    _source_row
from accepted
