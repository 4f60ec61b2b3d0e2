{# Accepted answers with their category and what is masked; `named` as in labelled_contacts.

   responses: relation with rows of stg_survey_responses. #}
{% macro labelled_survey_responses(responses, named) -%}
with

responses as (

    select * from {{ responses }}

),

categories as (

    select * from {{ named('nps_categories') }}

),

masked_comments as (

    select * from {{ named('masked_comments') }}

)

select
    responses.response_id,
    responses.survey_id,
    responses.invitation_id,
    responses.contact_id,
    responses.customer_id,
    responses.survey_type,
    responses.survey_channel,
    responses.language,
    responses.status,
    responses.score,
    -- The cut of the categories is the seed, looked up here and nowhere else.
    categories.category as nps_category,
    case categories.category
        when 'promoter' then 1
        when 'passive' then 0
        when 'detractor' then -1
    end as nps_contribution,
    responses.csat_score,
    responses.effort_score,
    -- Only texts that may be personal have a masked twin.
    coalesce(masked_comments.comment, responses.comment) as comment,
    responses.responded_at,
    {{ local_date('responses.responded_at') }} as response_date,
    {{ local_weekday('responses.responded_at') }} as response_weekday,
    {{ local_hour('responses.responded_at') }} as response_hour
from responses
left join categories
    on responses.score = categories.score
left join masked_comments
    on responses.response_id = masked_comments.response_id
{%- endmacro %}
