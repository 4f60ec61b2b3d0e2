{{ flawed_rows('survey_invitations') }}
