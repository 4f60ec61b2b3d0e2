{#- One row: what can be counted of a raw table in one pass. -#}
with

{{ parsed_cells(table, columns) }}

select
    {% for column in readable -%}
        count(case when {{ is_filled(column.name) }} then 1 end) as filled_{{ column.name }},
        count(case when {{ is_unreadable(column.name) }} then 1 end)
            as unreadable_{{ column.name }},
    {% endfor -%}
    {% for column in texts -%}
        count(text_{{ column.name }}) as filled_{{ column.name }},
        count(case when {{ is_garbled(column.name) }} then 1 end) as garbled_{{ column.name }},
    {% endfor -%}
    {% if 'channel' in names and table == 'contacts' -%}
        count(text_channel) as channels,
        count(case when {{ is_unmapped('channel') }} then 1 end) as unmapped_channels,
    {% endif -%}
    {% if 'score' in names and table == 'survey_responses' -%}
        count(case when {{ is_number('score') }} then 1 end) as numbers,
        count(case when {{ is_out_of_range('score') }} then 1 end) as out_of_range,
    {% endif -%}
    {% if event -%}
        max({{ possible_instant(event) }}) as newest,
    {% endif -%}
    count(case when {{ has_bad_bytes() }} then 1 end) as bad_bytes,
    count(case when {{ is_broken_line() }} then 1 end) as broken_lines,
    count(*) as rows_read
from parsed
