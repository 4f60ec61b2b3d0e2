{{ superseded_versions('survey_invitations', key=['invitation_id']) }}
