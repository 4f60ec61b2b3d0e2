{# The table has exactly so many rows. #}
{% test row_count_is(model, rows) %}
select count(*) as counted_rows
from {{ model }}
having count(*) <> {{ rows }}
{% endtest %}
