{{ superseded_versions('survey_responses', key=['response_id']) }}
