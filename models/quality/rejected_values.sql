with

-- Kept, so that the masking behind it is planned once and not once per column.
cells as {{ materialized() }} (

    {% for table, columns in unreadable_cells().items() -%}
        {% set last_table = loop.last -%}
        {% for column in columns -%}
            select
                '{{ table }}' as table_name,
                _source_file,
                _source_row,
                {{ shown_record_key(table) }} as record_key,
                '{{ column }}' as column_name,
                invalid_{{ column }} as invalid_value
            from {{ ref('flawed_' ~ table) }}
            where invalid_{{ column }} is not null
            {{- "
            union all
            " if not (last_table and loop.last) }}
        {% endfor -%}
    {% endfor %}

)

select
    table_name,
    _source_file as source_file,
    _source_row as source_row,
    record_key,
    column_name,
    left({{ masked_cell('invalid_value') }}, 200) as raw_value,
    'not a possible ' || column_name as reason
from cells
