{% set columns = [
    {'name': 'initiative_id', 'type': 'text'},
    {'name': 'initiative_name', 'type': 'text'},
    {'name': 'scope_type', 'type': 'word',
     'words': ['company', 'department', 'channel', 'site', 'product_line', 'team', 'agent']},
    {'name': 'scope_id', 'type': 'text'},
    {'name': 'started_on', 'type': 'date'},
    {'name': 'ended_on', 'type': 'unbounded_date'},
] %}

{% set rules = [
    {'column': 'initiative_id', 'when': 'initiative_id is null', 'reason': 'empty key'},
] %}

{{ parsed_rows('initiatives', columns=columns, key=['initiative_id'], rules=rules) }}
