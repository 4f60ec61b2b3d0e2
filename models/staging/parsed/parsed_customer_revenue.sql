{% set columns = [
    {'name': 'customer_id', 'type': 'text'},
    {'name': 'month', 'type': 'date'},
    {'name': 'revenue', 'type': 'number', 'at_least': none},
] %}

{% set rules = [
    {'column': 'customer_id', 'when': 'customer_id is null', 'reason': 'empty key'},
    {'column': 'month', 'when': 'month is null', 'reason': 'empty key: no possible date'},
    {
        'column': 'month',
        'when': 'month <> ' ~ period_start('month', 'month'),
        'reason': 'not the first date of a month',
    },
] %}

{{ parsed_rows('customer_revenue', columns=columns, key=['customer_id', 'month'], rules=rules) }}
