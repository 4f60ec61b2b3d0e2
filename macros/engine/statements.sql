{# Statements that engines spell differently. #}

{# What stands before the query of a table that lives as long as the connection; one of that name is
   replaced. #}
{% macro temporary_table(name) -%}
    {{ adapter.dispatch('temporary_table')(name) }}
{%- endmacro %}

{% macro default__temporary_table(name) -%}
    create or replace temp table {{ name }} as
{%- endmacro %}

{# A statement that fails with a text. #}
{% macro failing_statement(text) -%}
    {{ adapter.dispatch('failing_statement')(text) }}
{%- endmacro %}

{% macro default__failing_statement(text) -%}
    select error({{ text_literal(text) }})
{%- endmacro %}
