{{ config(severity='warn') }}
-- What: every answer listed in the seed excluded_responses was delivered.
-- When it matters: a mistyped id leaves the answer in the score.
-- How to resolve: whoever decided the exclusion corrects its response_id.
select listed.response_id
from {{ ref('excluded_responses') }} as listed
left join {{ ref('judged_survey_responses') }} as responses
    on listed.response_id = responses.response_id
where responses.response_id is null
