{% set columns = [
    {'name': 'agent_id', 'type': 'text'},
    {'name': 'department_id', 'type': 'text'},
    {'name': 'team', 'type': 'text'},
    {'name': 'valid_from', 'type': 'unbounded_timestamp'},
    {'name': 'valid_to', 'type': 'unbounded_timestamp'},
] %}

{% set rules = [
    {'column': 'agent_id', 'when': 'agent_id is null', 'reason': 'empty key'},
    {'column': 'valid_from', 'when': 'valid_from is null', 'reason': 'empty key: no timestamp'},
] %}

{{ parsed_rows(
    'agent_assignments',
    columns=columns,
    key=['agent_id', 'valid_from'],
    rules=rules,
    keep_text=['valid_from', 'valid_to'],
) }}
