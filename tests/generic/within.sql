{# The column lies in a closed range wherever it is not null. #}
{% test within(model, column, at_least, at_most) %}
select {{ column }}
from {{ model }}
where {{ column }} < {{ at_least }} or {{ column }} > {{ at_most }}
{% endtest %}
