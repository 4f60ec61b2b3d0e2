{% set columns = [
    {'name': 'contact_id', 'type': 'text'},
    {'name': 'department_id', 'type': 'text'},
    {'name': 'channel', 'type': 'text'},
    {'name': 'started_at', 'type': 'timestamp'},
    {'name': 'agent_id', 'type': 'text'},
    {'name': 'customer_id', 'type': 'text'},
    {'name': 'reason', 'type': 'text'},
    {'name': 'product_line', 'type': 'text'},
    {'name': 'site', 'type': 'text'},
    {'name': 'ended_at', 'type': 'timestamp'},
    {'name': 'queue_seconds', 'type': 'number'},
    {'name': 'hold_seconds', 'type': 'number'},
    {'name': 'handle_seconds', 'type': 'number'},
    {'name': 'transfers', 'type': 'integer'},
    {'name': 'is_resolved', 'type': 'boolean'},
    {'name': 'updated_at', 'type': 'timestamp'},
] %}

{% set rules = [
    {'column': 'contact_id', 'when': 'contact_id is null', 'reason': 'empty key'},
    {'column': 'started_at', 'when': 'started_at is null', 'reason': 'no possible timestamp'},
    {'column': 'ended_at', 'when': 'ended_at < started_at', 'reason': 'ended before it started'},
] %}

{{ parsed_rows('contacts', columns=columns, key=['contact_id'], rules=rules) }}
