{# The column holds one of these words, and is never null. #}
{% test one_of(model, column, words) %}
select {{ column }}
from {{ model }}
where
    {{ column }} is null
    or {{ column }} not in ('{{ words | join("', '") }}')
{% endtest %}
