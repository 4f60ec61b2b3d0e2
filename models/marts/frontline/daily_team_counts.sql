with

responses as (

    select * from {{ ref('fct_survey_responses') }}

)

select
    team,
    agent_id,
    survey_type,
    period_date,
    {{ category_counts() }}
from responses
group by team, agent_id, survey_type, period_date
