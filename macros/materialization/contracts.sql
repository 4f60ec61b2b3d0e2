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

{% macro postgres__get_empty_schema_sql(columns) %}
    {{ return(default__get_empty_schema_sql(columns_in_engine_types(columns))) }}
{% endmacro %}

{% macro postgres__get_table_columns_and_constraints() -%}
    {%- set columns = adapter.render_raw_columns_constraints(
        raw_columns=columns_in_engine_types(model['columns'])
    ) -%}
    {%- set constraints = adapter.render_raw_model_constraints(
        raw_constraints=model['constraints']
    ) -%}
    ({{ (columns + constraints) | join(', ') }})
{%- endmacro %}

{% macro postgres__create_csv_table(model, agate_table) %}
    {% set types = model['config'].get('column_types', {}) %}
    {% set columns = [] %}
    {% for name in agate_table.column_names %}
        {% set column = adapter.quote_seed_column(name, model['config'].get('quote_columns')) %}
        {% set type = types.get(name) or adapter.convert_type(agate_table, loop.index0) %}
        {% do columns.append(column ~ ' ' ~ engine_type(type)) %}
    {% endfor %}
    {% set create %}
        create table {{ this.render() }} ({{ columns | join(', ') }})
    {% endset %}
    {% call statement('_') %}
        {{ create }}
    {% endcall %}
    {{ return(create) }}
{% endmacro %}
