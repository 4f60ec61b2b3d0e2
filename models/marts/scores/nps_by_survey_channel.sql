{{ score_mart('survey_channel', keys=['scope_id as survey_channel']) }}
