{% set columns = [
    {'name': 'contact_id', 'type': 'text'},
    {'name': 'leg_number', 'type': 'integer', 'at_least': 1},
    {'name': 'agent_id', 'type': 'text'},
    {'name': 'department_id', 'type': 'text'},
    {'name': 'started_at', 'type': 'timestamp'},
    {'name': 'handle_seconds', 'type': 'number'},
] %}

{% set rules = [
    {'column': 'contact_id', 'when': 'contact_id is null', 'reason': 'empty key'},
    {
        'column': 'leg_number',
        'when': 'leg_number is null',
        'reason': 'empty key: not a number of a leg',
    },
] %}

{{ parsed_rows('contact_legs', columns=columns, key=['contact_id', 'leg_number'], rules=rules) }}
