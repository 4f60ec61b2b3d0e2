{# Post-hook of every table: a planner that knows tables by samples is told of one that is new. #}
{% macro known_to_planner() -%}
    {{ adapter.dispatch('known_to_planner')() }}
{%- endmacro %}

{# DuckDB counts while it writes. #}
{% macro default__known_to_planner() -%}
{%- endmacro %}

{# Post-hook of every table that people read: what an engine needs to serve it. #}
{% macro served() -%}
    {{ adapter.dispatch('served')() }}
{%- endmacro %}

{# DuckDB's tables are read whole, in files that no one else writes to. #}
{% macro default__served() -%}
{%- endmacro %}

{# Columns of a one_row_per test. #}
{% macro grain_of_test(node) %}
    {% do return(node.test_metadata.kwargs.columns) %}
{% endmacro %}
