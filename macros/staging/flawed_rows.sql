{# The delivered rows of a table that are left out, that a row rule rejects, or that have a cell that
   can't be read: few rows, stored once for everything that reports on them. #}
{% macro flawed_rows(table) -%}
    {%- set cells = unreadable_cells()[table] -%}
    select
        record_key,
        rejected_column,
        rejected_value,
        left_out_reason,
        rejection_reason,
        {% for column in cells -%}
            invalid_{{ column }},
        {% endfor -%}
        _source_file,
        _source_row
    from {{ ref('parsed_' ~ table) }}
    where
        failed_rule is not null
        {% for column in cells -%}
            or invalid_{{ column }} is not null
        {% endfor %}
{%- endmacro %}
