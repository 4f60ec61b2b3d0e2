{# Views keep the text of their query, database name included, and would break in a warehouse file
   that is renamed or copied. Schema and name are enough: a build writes to one database only. #}
{% macro ref() %}
    {% do return(builtins.ref(*varargs, **kwargs).include(database=false)) %}
{% endmacro %}

{% macro source() %}
    {% do return(builtins.source(*varargs, **kwargs).include(database=false)) %}
{% endmacro %}
