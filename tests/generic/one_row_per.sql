{# The grain: no two rows agree in all of these columns (two nulls agree). #}
{% test one_row_per(model, columns) %}
select
    {{ columns | join(', ') }},
    count(*) as repetitions
from {{ model }}
group by {{ columns | join(', ') }}
having count(*) > 1
{% endtest %}
