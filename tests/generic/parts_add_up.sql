{# A total is the sum of its parts, row by row. #}
{% test parts_add_up(model, total, parts) %}
select {{ total }}, {{ parts | join(', ') }}
from {{ model }}
where
    {{ total }} is null
    or {{ total }} <> {{ parts | join(' + ') }}
    or {{ parts | join(' + ') }} is null
{% endtest %}
