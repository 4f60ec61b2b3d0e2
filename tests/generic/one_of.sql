{# The column holds one of these words, and is never null. #}
{% test one_of(model, column, words) %}
{% set listed = [] %}
{% for word in words %}
    {% do listed.append(text_literal(word)) %}
{% endfor %}
select {{ column }}
from {{ model }}
where
    {{ column }} is null
    or {{ column }} not in ({{ listed | join(', ') }})
{% endtest %}
