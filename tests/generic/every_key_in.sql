{# Every value of the column, null included, is a key of another table. #}
{% test every_key_in(model, column, to, field) %}
select child_key
from (
    select {{ column }} as child_key
    from {{ model }}
    group by {{ column }}
) as children
where not exists (
    select 1
    from {{ to }} as parents
    where parents.{{ field }} = children.child_key
)
{% endtest %}
