{% set columns = [
    {'name': 'invitation_id', 'type': 'text'},
    {'name': 'survey_id', 'type': 'text'},
    {'name': 'survey_type', 'type': 'word', 'words': ['transactional', 'relational']},
    {'name': 'contact_id', 'type': 'text'},
    {'name': 'customer_id', 'type': 'text'},
    {'name': 'survey_channel', 'type': 'word', 'words': ['email', 'sms', 'ivr', 'web', 'in_app']},
    {'name': 'sent_at', 'type': 'timestamp'},
    {'name': 'delivered_at', 'type': 'timestamp'},
    {'name': 'opened_at', 'type': 'timestamp'},
    {'name': 'status', 'type': 'word',
     'words': ['sent', 'delivered', 'opened', 'responded', 'bounced', 'opted_out']},
    {'name': 'updated_at', 'type': 'timestamp'},
] %}

{% set rules = [
    {'column': 'invitation_id', 'when': 'invitation_id is null', 'reason': 'empty key'},
    {
        'column': 'status',
        'when': 'status is null and text_status is not null',
        'reason': 'not a status of an invitation',
    },
    {
        'column': 'survey_type',
        'when': 'survey_type is null and text_survey_type is not null',
        'reason': 'not transactional or relational',
    },
] %}

{{ parsed_rows('survey_invitations', columns=columns, key=['invitation_id'], rules=rules) }}
