{{ accepted_survey_invitations(newest_versions('survey_invitations')) }}
