{# What is wrong with a delivered row or cell, over the columns of the CTE `parsed`. #}

{% macro is_filled(column) -%}
    case
        when {{ is_typed('delivered_' ~ column, 'varchar') }} then text_{{ column }} is not null
        else delivered_{{ column }} is not null
    end
{%- endmacro %}

{% macro is_unreadable(column) -%}
    {{ is_filled(column) }} and parsed_{{ column }} is null
{%- endmacro %}

{# A number as people write it, whatever its size: 11, -1, 8.5. #}
{% macro is_number(column) -%}
    {{ matches('text_' ~ column, '^[+-]?[0-9]+([.,][0-9]+)?$') }}
{%- endmacro %}

{% macro is_out_of_range(column) -%}
    {{ is_number(column) }} and parsed_{{ column }} is null
{%- endmacro %}

{# UTF-8 that was decoded as Latin-1 or Windows-1252: the first byte of a two-byte letter (0xC2,
   0xC3) or of typographic marks (0xE2 0x80) shows as a letter of its own, what follows it as a
   control, a mark or a sign. And the sign that stands for what could not be decoded. #}
{% macro is_garbled(column) -%}
    {{ matches(
        'text_' ~ column,
        '[ÂÃ][\\x{80}-\\x{BF}€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ]|â€|â\\x{80}|ï¿½|\\x{FFFD}'
    ) }}
{%- endmacro %}

{% macro has_bad_bytes() -%}
    (_line_error like 'NUL byte%' or _line_error like 'invalid UTF-8%')
{%- endmacro %}

{% macro is_broken_line() -%}
    (
        _line_error is not null
        and _line_error not like 'NUL byte%'
        and _line_error not like 'invalid UTF-8%'
    )
{%- endmacro %}

{% macro is_unmapped(column) -%}
    text_{{ column }} is not null
    and lower(text_{{ column }}) not in (
        select lower({{ trimmed('alias') }}) from reference.channel_aliases where alias is not null
    )
{%- endmacro %}

{# An instant the contract allows; null for any other. #}
{% macro possible_instant(column) -%}
    case
        when parsed_{{ column }} >= {{ earliest }} and parsed_{{ column }} <= {{ latest }}
            then parsed_{{ column }}
    end
{%- endmacro %}

{# The CTEs that every figure of a raw table begins with. #}
{% macro parsed_cells(table, columns) -%}
delivered as (

    select * from raw.{{ table }}

),

texts as (

    select
        {% for column in columns -%}
            {{ column.name }} as delivered_{{ column.name }},
            {{ text_of_raw(column.name) }} as text_{{ column.name }},
        {% endfor -%}
        _line_error,
        _source_file,
        _source_row
    from delivered

),

parsed as (

    select
        *
        {%- for column in columns if column.type not in ['text', 'verbatim'] -%}
            ,
            {{ parsed_value(column) }} as parsed_{{ column.name }}
        {%- endfor %}
    from texts

)
{%- endmacro %}
