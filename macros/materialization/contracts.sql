{# Contracts and seeds name types as DuckDB does; engines that call them otherwise are asked in their
   own words. Each macro with an engine's name here overrides dbt's own. #}

{# Columns of a contract with the engine's own names of their types. #}
{% macro columns_in_engine_types(columns) %}
    {% set own = {} %}
    {% for name, column in columns.items() %}
        {% do own.update({name: dict(column, data_type=engine_type(column.data_type))}) %}
    {% endfor %}
    {% do return(own) %}
{% endmacro %}
