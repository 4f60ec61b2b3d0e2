{{ labelled_survey_invitations(
    ref('stg_survey_invitations'), ref('stg_survey_responses')
) }}
