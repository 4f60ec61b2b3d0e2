{% set columns = [
    {'name': 'agent_id', 'type': 'text'},
    {'name': 'agent_name', 'type': 'text'},
    {'name': 'hired_on', 'type': 'date'},
    {'name': 'left_on', 'type': 'date'},
    {'name': 'updated_at', 'type': 'timestamp'},
] %}

{% set rules = [
    {'column': 'agent_id', 'when': 'agent_id is null', 'reason': 'empty key'},
] %}

{{ parsed_rows('agents', columns=columns, key=['agent_id'], rules=rules) }}
