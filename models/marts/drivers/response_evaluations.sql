with

evaluations as (

    select
        contact_id,
        {{ evaluation_driver('criterion') }} as driver,
        -- Of a criterion that is delivered in two spellings, the middle of its scores.
        {{ sum_of_doubles('evaluation_score') }} / count(evaluation_score) as evaluation_score
    from {{ ref('categorized_evaluations') }}
    where evaluation_score is not null
    group by contact_id, {{ evaluation_driver('criterion') }}

),

responses as (

    select * from {{ ref('fct_survey_responses') }}

)

select
    responses.response_id,
    evaluations.driver,
    responses.survey_type,
    responses.period_date,
    responses.department_id,
    responses.contact_reason,
    responses.nps_category,
    responses.nps_contribution,
    evaluations.evaluation_score
from evaluations
inner join responses
    on evaluations.contact_id = responses.contact_id
