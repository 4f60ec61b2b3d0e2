{% set columns = [
    {'name': 'customer_id', 'type': 'text'},
    {'name': 'segment', 'type': 'text'},
    {'name': 'region', 'type': 'text'},
    {'name': 'product_line', 'type': 'text'},
    {'name': 'customer_since', 'type': 'date'},
    {'name': 'acquired_by', 'type': 'word', 'words': ['referral', 'paid']},
    {'name': 'churned_on', 'type': 'date'},
    {'name': 'updated_at', 'type': 'timestamp'},
] %}

{% set rules = [
    {'column': 'customer_id', 'when': 'customer_id is null', 'reason': 'empty key'},
] %}

{{ parsed_rows('customers', columns=columns, key=['customer_id'], rules=rules) }}
