{# Delivered values to typed ones. A value that is not what its column promises is null here:
   whether that rejects the row or only costs the cell, the rules of its table say.

   Every parser takes a raw column by its name and reads `text_<column>` (its text, trimmed; null
   where the file holds a real type) and `delivered_<column>` (as it came). #}

{# Text without the blanks and invisible characters around it; null when nothing is left. #}
{% macro trimmed(text) -%}
    nullif({{ without_blanks_around(text) }}, '')
{%- endmacro %}

{# ISO 8601 to an instant: `T` or a blank between date and time; seconds, fraction and offset
   optional; a bare date is midnight. The engine's own cast is trusted with neither the offset
   nor what is no timestamp at all. #}
{% macro parsed_timestamp(column) -%}
    {%- set text = 'text_' ~ column -%}
    {%- set delivered = 'delivered_' ~ column -%}
    {%- set iso_date = '[0-9]{4}-[0-9]{2}-[0-9]{2}' -%}
    {%- set iso_time = '([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.,][0-9]+)?)?' -%}
    {%- set iso_offset = '[+-]([01][0-9]|2[0-3])(:?[0-5][0-9])?' -%}
    {%- set wall_time -%}
        {{ try_cast(
            'replace(' ~ extracted(text, '^' ~ iso_date ~ '([T ][0-9:]+([.,][0-9]{1,6})?)?')
            ~ ", ',', '.')",
            'timestamp'
        ) }}
    {%- endset -%}
    {%- set offset = extracted(text, '[+-][0-9]{2}:?([0-9]{2})?$') -%}
    case
        when {{ is_typed(delivered, 'timestamp') }}
            then {{ local_to_utc(try_cast(delivered, 'timestamp')) }}
        when {{ is_typed(delivered, 'timestamp with time zone') }}
            then {{ zoned_to_utc(delivered) }}
        {#- There is no year 0; engines make the year before 1 of it, or nothing. #}
        when {{ matches(text, '^0000') }}
            then null
        when {{ matches(text, '^' ~ iso_date ~ '([T ]' ~ iso_time ~ ')?$') }}
            then {{ local_to_utc(wall_time) }}
        when {{ matches(text, '^' ~ iso_date ~ '[T ]' ~ iso_time ~ 'Z$') }}
            then {{ wall_time }}
        when {{ matches(text, '^' ~ iso_date ~ '[T ]' ~ iso_time ~ iso_offset ~ '$') }}
            then {{ plus_minutes(wall_time, '-(' ~ minutes_of_offset(offset) ~ ')') }}
    end
{%- endmacro %}

{# `+05:30`, `-0800` or `+02` as minutes east of UTC. #}
{% macro minutes_of_offset(offset) -%}
    {%- set digits = "replace(" ~ offset ~ ", ':', '')" -%}
    60 * {{ try_cast('substring(' ~ digits ~ ', 1, 3)', 'integer') }}
    + {{ try_cast(
        'substring(' ~ digits ~ ', 1, 1)'
        ~ ' || coalesce(nullif(substring(' ~ digits ~ ", 4, 2), ''), '0')",
        'integer'
    ) }}
{%- endmacro %}

{# Plain digits with an optional fraction; exponents and NaN are no amounts, and a sign only where
   an amount may be negative. #}
{% macro parsed_number(column, at_least=0) -%}
    {%- set text = 'text_' ~ column -%}
    {%- set delivered = 'delivered_' ~ column -%}
    {%- set sign = '-?' if at_least is none else '' -%}
    case
        when {{ is_typed(delivered, 'double') }}
            then {{ finite_number(delivered, at_least) }}
        when {{ matches(text, '^' ~ sign ~ '([0-9]+([.][0-9]*)?|[.][0-9]+)$') }}
            then {{ finite_number(text, at_least) }}
    end
{%- endmacro %}

{# A whole number within its range: `2.0` is 2, `2.5` is nothing. #}
{% macro parsed_integer(column, at_least, at_most) -%}
    {%- set text = 'text_' ~ column -%}
    {%- set delivered = 'delivered_' ~ column -%}
    {%- set typed = try_cast(delivered, 'double') -%}
    case
        when {{ is_typed(delivered, 'double') }} and {{ typed }} = floor({{ typed }})
            then {{ whole_number(delivered, at_least, at_most) }}
        when {{ matches(text, '^[0-9]+([.]0*)?$') }}
            then {{ whole_number(extracted(text, '^[0-9]+'), at_least, at_most) }}
    end
{%- endmacro %}

{% macro parsed_boolean(column) -%}
    case lower(text_{{ column }})
        when 'true' then true
        when 'yes' then true
        when '1' then true
        when 'false' then false
        when 'no' then false
        when '0' then false
    end
{%- endmacro %}

{# One word of a fixed vocabulary, in any case of letters. #}
{% macro parsed_word(column, words) -%}
    case
        when lower(text_{{ column }}) in ('{{ words | join("', '") }}')
            then lower(text_{{ column }})
    end
{%- endmacro %}

{# The score a text plainly states: a whole number 0-10, alone or before a label. Nothing is
   rounded, stripped or clipped into the range. #}
{% macro parsed_score(column) -%}
    {%- set blanks = '[' ~ blank_characters() ~ ']*' -%}
    case
        when {{ matches(
            'text_' ~ column,
            '^(10|[0-9])([.]0+)?(' ~ blanks ~ '[-–—]' ~ blanks ~ '[^0-9][^\\n]*)?$'
        ) }}
            then {{ try_cast(extracted('text_' ~ column, '^(10|[0-9])'), 'integer') }}
    end
{%- endmacro %}
