{# A count never exceeds the count it is a part of. #}
{% test at_most(model, column, whole) %}
select {{ column }}, {{ whole }}
from {{ model }}
where {{ column }} > {{ whole }}
{% endtest %}
