{# Post-hook of every table that people read: what an engine needs to serve it. #}
{% macro served() -%}
    {{ adapter.dispatch('served')() }}
{%- endmacro %}

{# DuckDB's tables are read whole, in files that no one else writes to. #}
{% macro default__served() -%}
{%- endmacro %}

{# The grain, by which BI looks rows up, as a unique index: the server itself keeps to it. An increment
   keeps the index there is. Readers are granted the schema's tables once, by the landing. #}
{% macro postgres__served() -%}
    {%- if execute and not is_incremental() -%}
        {#- A table just made is unknown to the planner of what reads it next. -#}
        analyze {{ this }};
        {%- for node in graph.nodes.values()
            if node.resource_type == 'test' and node.attached_node == model.unique_id
            and node.get('test_metadata', {}).get('name') == 'one_row_per' -%}
            {#- Named by the server: dbt keeps the table before this one until the end. -#}
            create unique index on {{ this }} ({{ grain_of_test(node) | join(', ') }})
            nulls not distinct;
        {% endfor -%}
    {%- endif -%}
{%- endmacro %}

{# Columns of a one_row_per test. #}
{% macro grain_of_test(node) %}
    {% do return(node.test_metadata.kwargs.columns) %}
{% endmacro %}
