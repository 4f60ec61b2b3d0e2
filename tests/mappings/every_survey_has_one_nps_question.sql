{{ config(severity='warn', enabled=var('qualtrics_schema') is not none) }}
-- What: in no Qualtrics survey is the var qualtrics_nps_question found in several questions.
-- When it matters: one of their answers is taken for the score, and it may be the wrong one.
-- How to resolve: whoever set the var makes it match one question alone.
select
    responses.survey_id,
    count(distinct answers.question_id) as questions
from {{ source('qualtrics', 'question_response') }} as answers
inner join {{ source('qualtrics', 'survey_response') }} as responses
    on answers.response_id = responses.id
where {{ matches('lower(answers.question)', var('qualtrics_nps_question')) }}
group by responses.survey_id
having count(distinct answers.question_id) > 1
