{# One row per delivered row of a raw table: its values, which rule rejects it first, and the texts
   of the cells that could not be read.

   columns: list of {name, type, …} in contract order. Types: text (a key, code or name), verbatim
            (kept as it came), timestamp, date, unbounded_timestamp, unbounded_date, number,
            integer, boolean, word, listed (in a seed), score; with the arguments of their parsers.
            An unreadable value either fails a rule or costs the cell (macro unreadable_cells),
            whose text is kept as `invalid_<column>`.
   key:     columns whose texts make the record's key.
   rules:   list of {column, when, reason}, asked in this order. `when` is SQL over the values
            (and `text_<column>`); a null value of a column that was delivered is unreadable.
            Asked before them all: whether the row is left out (failed_rule -1).
   keep_text: columns whose delivered text rules over several rows have to show.
#}
{% macro parsed_rows(table, columns, key, rules, keep_text=[]) %}
{%- set bounded = ['timestamp', 'date'] -%}
{%- set dates = ['date', 'unbounded_date'] -%}
with

delivered as (

    select * from {{ rows_to_parse(table, columns | map(attribute='name') | list) }}

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
    {{ computed_once() }}

),

parsed as (

    select
        *,
        {% for column in columns -%}
            {{ parsed_value(column) }} as parsed_{{ column.name }}
            {{- "," if not loop.last }}
        {% endfor %}
    from texts
    {{ computed_once() }}

),

possible as (

    select
        *,
        {% for column in columns -%}
            {%- set value = 'parsed_' ~ column.name -%}
            {%- set shown = local_date(value) if column.type in dates else value -%}
            {%- if column.type in bounded -%}
                case
                    when {{ value }} >= {{ instant_of_var('nps_earliest') }}
                        and {{ value }} <= {{ latest_possible_instant() }}
                        then {{ shown }}
                end as {{ column.name }}
            {%- else -%}
                {{ shown }} as {{ column.name }}
            {%- endif -%}
            {{- "," if not loop.last }}
        {% endfor %}
    from parsed
    {{ computed_once() }}

),

judged as (

    select
        *,
        case
            when {{ left_out_reason(table) }} is not null then -1
            when _line_error is not null then 0
            {% for rule in rules -%}
                when {{ rule.when }} then {{ loop.index }}
            {% endfor %}
        end as failed_rule
    from possible
    {{ computed_once() }}

)

select
    {% for column in columns -%}
        {#- What is too old is not kept, not even here. -#}
        {%- if table in var('nps_retention_months') -%}
            case when failed_rule = -1 then null else {{ column.name }} end as {{ column.name }},
        {%- else -%}
            {{ column.name }},
        {%- endif %}
    {% endfor -%}
    {% for column in unreadable_cells()[table] -%}
        case
            when {{ column }} is null and failed_rule is null
                then {{ trimmed('cast(delivered_' ~ column ~ ' as ' ~ engine_type('varchar') ~ ')') }}
        end as invalid_{{ column }},
    {% endfor -%}
    {% for column in keep_text -%}
        cast(delivered_{{ column }} as {{ engine_type('varchar') }}) as delivered_{{ column }},
    {% endfor -%}
    {{ record_key(key) }} as record_key,
    failed_rule,
    case failed_rule
        when -1 then {{ left_out_reason(table) }}
    end as left_out_reason,
    case failed_rule
        when 0 then _line_error
        {% for rule in rules -%}
            when {{ loop.index }} then '{{ rule.reason }}'
        {% endfor %}
    end as rejection_reason,
    case failed_rule
        when 0 then null
        {% for rule in rules -%}
            when {{ loop.index }} then '{{ rule.column }}'
        {% endfor %}
    end as rejected_column,
    case failed_rule
        when 0 then null
        {% for rule in rules -%}
            when {{ loop.index }} then cast(delivered_{{ rule.column }} as {{ engine_type('varchar') }})
        {% endfor %}
    end as rejected_value,
    _source_file,
    _source_row
from judged
{% endmacro %}

{% macro parsed_value(column) -%}
    {%- if column.type == 'text' -%}
        text_{{ column.name }}
    {%- elif column.type == 'verbatim' -%}
        case when text_{{ column.name }} is not null then delivered_{{ column.name }} end
    {%- elif column.type in ['timestamp', 'date', 'unbounded_timestamp', 'unbounded_date'] -%}
        {{ parsed_timestamp(column.name) }}
    {%- elif column.type == 'number' -%}
        {{ parsed_number(column.name, column.get('at_least', 0)) }}
    {%- elif column.type == 'integer' -%}
        {{ parsed_integer(column.name, column.get('at_least', 0), column.get('at_most')) }}
    {%- elif column.type == 'boolean' -%}
        {{ parsed_boolean(column.name) }}
    {%- elif column.type == 'word' -%}
        {{ parsed_word(column.name, column['words']) }}
    {%- elif column.type == 'listed' -%}
        case
            when lower(text_{{ column.name }}) in (select {{ column.by }} from {{ column.list }})
                then lower(text_{{ column.name }})
        end
    {%- elif column.type == 'score' -%}
        {{ parsed_score(column.name) }}
    {%- else -%}
        {{ exceptions.raise_compiler_error('parsed_rows: no type "' ~ column.type ~ '"') }}
    {%- endif -%}
{%- endmacro %}

{# The delivered texts of the key's columns, joined by `|`; null when all of them are empty. #}
{% macro record_key(key) -%}
    {%- if key | length == 1 -%}
        text_{{ key[0] }}
    {%- else -%}
        nullif(
            {%- for column in key -%}
                coalesce({{ trimmed('cast(delivered_' ~ column ~ ' as ' ~ engine_type('varchar') ~ ')') }}, '')
                {{- " || '|' || " if not loop.last }}
            {%- endfor -%}
        , '{{ '|' * (key | length - 1) }}')
    {%- endif -%}
{%- endmacro %}
