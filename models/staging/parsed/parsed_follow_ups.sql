{% set columns = [
    {'name': 'follow_up_id', 'type': 'text'},
    {'name': 'response_id', 'type': 'text'},
    {'name': 'owner_agent_id', 'type': 'text'},
    {'name': 'opened_at', 'type': 'timestamp'},
    {'name': 'first_contacted_at', 'type': 'timestamp'},
    {'name': 'closed_at', 'type': 'timestamp'},
    {'name': 'outcome', 'type': 'word', 'words': ['fixed', 'explained', 'unreachable']},
    {'name': 'root_cause', 'type': 'text'},
    {'name': 'updated_at', 'type': 'timestamp'},
] %}

{% set rules = [
    {'column': 'follow_up_id', 'when': 'follow_up_id is null', 'reason': 'empty key'},
] %}

{{ parsed_rows('follow_ups', columns=columns, key=['follow_up_id'], rules=rules) }}
