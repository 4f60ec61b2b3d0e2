-- The seed has this name in the schema reference, and one project has one node of a name.
{{ config(alias='comment_themes') }}

with

readings as (

    select * from {{ ref('comment_readings') }}
    where said_themes <> '|'

),

themes as (

    select * from {{ ref('themes') }}

),

responses as (

    select * from {{ ref('fct_survey_responses') }}

),

-- A handful of themes for each comment that says any.
said as (

    select
        readings.response_id,
        themes.*
    from readings
    inner join themes
        on readings.said_themes like '%|' || themes.theme || '|%'

)

select
    said.response_id,
    said.theme,
    said.family,
    said.sign,
    said.owner_department_id,
    responses.survey_type,
    responses.period_date,
    responses.department_id,
    responses.team,
    responses.agent_id,
    responses.channel,
    responses.language,
    responses.score,
    responses.nps_category
from said
inner join responses
    on said.response_id = responses.response_id
