{# What macros wrote by run_query outlives the connection. DuckDB commits each by itself. #}
{% macro keep_written() -%}
    {{ adapter.dispatch('keep_written')() }}
{%- endmacro %}

{% macro default__keep_written() -%}
{%- endmacro %}
