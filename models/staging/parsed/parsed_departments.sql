{% set columns = [
    {'name': 'department_id', 'type': 'text'},
    {'name': 'department_name', 'type': 'text'},
    {'name': 'parent_department_id', 'type': 'text'},
    {'name': 'site', 'type': 'text'},
    {'name': 'updated_at', 'type': 'timestamp'},
] %}

{% set rules = [
    {'column': 'department_id', 'when': 'department_id is null', 'reason': 'empty key'},
] %}

{{ parsed_rows('departments', columns=columns, key=['department_id'], rules=rules) }}
