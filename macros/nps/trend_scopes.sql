{# The scopes whose movements are followed, as a list of SQL text literals. Scopes of two keys, or
   with very many members, have too few answers a period to say that one moved. #}
{% macro trend_scopes() -%}
    {%- set scopes = [
        'company', 'department', 'site', 'channel', 'product_line', 'segment', 'agent',
    ] -%}
    '{{ scopes | join("', '") }}'
{%- endmacro %}

{# What a member of a scope is told apart by. #}
{% macro scope_key() -%}
    {%- do return(['scope_type', 'scope_id', 'survey_type']) -%}
{%- endmacro %}

{# The key of a member's period. #}
{% macro scope_period_key() -%}
    {%- do return(scope_key() + ['period_type', 'period_start']) -%}
{%- endmacro %}

{# Equality of two relations in every column of a key: the condition of a join. #}
{% macro same(columns, left, right) -%}
    {%- for column in columns -%}
        {{ left }}.{{ column }} = {{ right }}.{{ column }}
        {{- " and " if not loop.last }}
    {%- endfor -%}
{%- endmacro %}

{# Columns of one relation, as a list. #}
{% macro prefixed(columns, relation) -%}
    {%- for column in columns -%}
        {{ relation }}.{{ column }}
        {{- ",
    " if not loop.last }}
    {%- endfor -%}
{%- endmacro %}

{# The columns of the NPS block, as names. #}
{% macro nps_block_names() -%}
    {%- do return(nps_block().split(',') | map('trim') | list) -%}
{%- endmacro %}
