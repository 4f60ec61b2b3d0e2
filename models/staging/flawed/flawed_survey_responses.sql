{{ flawed_rows('survey_responses') }}
