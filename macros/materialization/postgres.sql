{# What PostgreSQL needs to be told when tables are made and read. Each `postgres__x` stands in for
   the `default__x`, or for dbt's own. #}

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

{# Before an increment dbt asks whether types are as they were. `text` and `varchar` are one: a table
   has its contract's, a query's may be either. #}
{% macro postgres__diff_column_data_types(source_columns, target_columns) %}
    {% set texts = target_columns | selectattr('dtype', 'in', ['text', 'character varying'])
        | map(attribute='name') | list %}
    {% set differing = [] %}
    {% for column in dbt.default__diff_column_data_types(source_columns, target_columns)
        if not (column.column_name in texts and column.new_type in ['text', 'character varying']) %}
        {% do differing.append(column) %}
    {% endfor %}
    {{ return(differing) }}
{% endmacro %}

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

{# Without, joins of a table just made are planned as if it had a page or two: a minute becomes hours. #}
{% macro postgres__known_to_planner() -%}
    {%- if execute and model.config.materialized != 'view' and not is_incremental() -%}
        analyze {{ this }}
    {%- endif -%}
{%- endmacro %}

{# The grain, by which BI looks rows up, as a unique index: the server itself keeps to it. An increment
   keeps the index there is. Readers are granted the schema's tables once, by the landing. #}
{% macro postgres__served() -%}
    {%- if execute and model.config.materialized != 'view' and not is_incremental() -%}
        {%- for node in graph.nodes.values()
            if node.resource_type == 'test' and node.attached_node == model.unique_id
            and node.get('test_metadata', {}).get('name') == 'one_row_per' -%}
            {#- Named by the server: dbt keeps the table before this one until the end. -#}
            create unique index on {{ this }} ({{ grain_of_test(node) | join(', ') }})
            nulls not distinct;
        {% endfor -%}
    {%- endif -%}
{%- endmacro %}

{% macro postgres__keep_written() -%}
    {%- do adapter.commit() -%}
{%- endmacro %}

{# The files are landed beforehand (scripts/postgres land), and nothing builds on them that another
   run may be changing: a run that lands and builds holds this lock. #}
{% macro postgres__land_raw_files() %}
    {% if adapter.get_relation(target.database, 'raw', '_landing') is none %}
        {% do return({'errors': [
            'Nothing is landed in the database ' ~ target.database ~ ': run scripts/postgres land, '
            ~ 'which brings the files of NPS_RAW_DIR there.'
        ], 'warnings': []}) %}
    {% endif %}
    {% set holders %}
        select count(*) from pg_locks
        where
            locktype = 'advisory'
            and classid = 0
            and objid = 7687
            and database = (select oid from pg_database where datname = current_database())
            and cast(pid as text) <> '{{ env_var("NPS_POSTGRES_RUN", "") or 0 }}'
            and granted
    {% endset %}
    {% if run_query(holders).rows[0][0] > 0 %}
        {% do return({'errors': [
            'Another run is changing the database ' ~ target.database ~ '; try again when it is over.'
        ], 'warnings': []}) %}
    {% endif %}
    {% do return({'errors': [], 'warnings': []}) %}
{% endmacro %}
