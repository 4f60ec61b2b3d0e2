{% set columns = [
    {'name': 'response_id', 'type': 'text'},
    {'name': 'score', 'type': 'score'},
    {'name': 'responded_at', 'type': 'timestamp'},
    {'name': 'survey_type', 'type': 'word', 'words': ['transactional', 'relational']},
    {'name': 'survey_id', 'type': 'text'},
    {'name': 'invitation_id', 'type': 'text'},
    {'name': 'contact_id', 'type': 'text'},
    {'name': 'customer_id', 'type': 'text'},
    {'name': 'survey_channel', 'type': 'word', 'words': ['email', 'sms', 'ivr', 'web', 'in_app']},
    {'name': 'csat_score', 'type': 'integer', 'at_least': 1, 'at_most': 5},
    {'name': 'effort_score', 'type': 'integer', 'at_least': 1, 'at_most': 7},
    {'name': 'comment', 'type': 'verbatim'},
    {'name': 'language', 'type': 'listed', 'list': ref('languages'), 'by': 'code'},
    {'name': 'status', 'type': 'word', 'words': ['complete', 'partial', 'dismissed']},
    {'name': 'is_test', 'type': 'boolean'},
    {'name': 'updated_at', 'type': 'timestamp'},
] %}

{% set rules = [
    {'column': 'response_id', 'when': 'response_id is null', 'reason': 'empty key'},
    {
        'column': 'score',
        'when': "text_score is null and coalesce(status, '') <> 'dismissed'",
        'reason': 'empty score',
    },
    {
        'column': 'score',
        'when': "score is null and coalesce(status, '') <> 'dismissed'",
        'reason': 'not a score from 0 to 10',
    },
    {'column': 'responded_at', 'when': 'responded_at is null', 'reason': 'no possible timestamp'},
    {
        'column': 'status',
        'when': 'status is null and text_status is not null',
        'reason': 'not complete, partial or dismissed',
    },
    {
        'column': 'is_test',
        'when': 'is_test is null and text_is_test is not null',
        'reason': 'neither true nor false',
    },
    {
        'column': 'survey_type',
        'when': 'survey_type is null and text_survey_type is not null',
        'reason': 'not transactional or relational',
    },
] %}

{{ parsed_rows('survey_responses', columns=columns, key=['response_id'], rules=rules) }}
