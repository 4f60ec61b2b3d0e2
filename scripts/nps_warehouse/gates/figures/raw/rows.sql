{#- The first rows of a table that fail a condition: where they stand, never what they say. -#}
with

{{ parsed_cells(table, columns) }}

select
    _source_file,
    _source_row
from parsed
where
    {% if condition == 'bad_bytes' -%} {{ has_bad_bytes() }}
    {%- elif condition == 'broken_line' -%} {{ is_broken_line() }}
    {%- elif condition == 'unreadable' -%} {{ is_unreadable(column) }}
    {%- elif condition == 'out_of_range' -%} {{ is_out_of_range(column) }}
    {%- elif condition == 'garbled' -%} {{ is_garbled(column) }}
    {%- elif condition == 'unmapped' -%} {{ is_unmapped(column) }}
    {%- endif %}
order by
    _source_file,
    _source_row
limit {{ most_rows }}
