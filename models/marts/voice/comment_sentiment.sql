with

readings as (

    select * from {{ ref('comment_readings') }}

),

responses as (

    select * from {{ ref('fct_survey_responses') }}

)

select
    readings.response_id,
    responses.survey_type,
    responses.survey_channel,
    responses.period_date,
    responses.department_id,
    responses.team,
    responses.agent_id,
    responses.language,
    responses.score,
    responses.nps_category,
    -- A bar behind each theme, and the first one.
    cast(
        length(readings.said_themes) - length(replace(readings.said_themes, '|', '')) - 1 as bigint
    ) as themes_said,
    readings.said_themes,
    readings.sentiment_weight,
    case
        when readings.sentiment_weight > 0 then 'positive'
        when readings.sentiment_weight < 0 then 'negative'
        else 'neutral'
    end as sentiment,
    case responses.nps_category
        when 'promoter'
            then readings.sentiment_weight <= -{{ var('nps_contradiction_weight') }}
        when 'detractor'
            then readings.sentiment_weight >= {{ var('nps_contradiction_weight') }}
        else false
    end as is_contradiction,
    responses.comment
from readings
inner join responses
    on readings.response_id = responses.response_id
