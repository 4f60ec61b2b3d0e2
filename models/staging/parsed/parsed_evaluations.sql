{% set columns = [
    {'name': 'contact_id', 'type': 'text'},
    {'name': 'criterion', 'type': 'text'},
    {'name': 'score', 'type': 'number', 'at_least': none},
    {'name': 'evaluated_at', 'type': 'timestamp'},
] %}

{% set rules = [
    {'column': 'contact_id', 'when': 'contact_id is null', 'reason': 'empty key'},
    {'column': 'criterion', 'when': 'criterion is null', 'reason': 'empty key'},
] %}

{{ parsed_rows('evaluations', columns=columns, key=['contact_id', 'criterion'], rules=rules) }}
