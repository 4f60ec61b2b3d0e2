{{ labelled_survey_responses(ref('stg_survey_responses'), ref) }}
