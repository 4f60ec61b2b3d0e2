with

labels as (

    select * from {{ ref('stg_theme_labels') }}

),

responses as (

    select response_id from {{ ref('stg_survey_responses') }}

)

-- Labels of answers that are no longer there are nobody's.
select
    labels.response_id,
    labels.theme,
    labels.likelihood,
    labels.classifier
from labels
inner join responses
    on labels.response_id = responses.response_id
