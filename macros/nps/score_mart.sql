{# A score mart of one scope: its keys, its periods, the block.

   scope: a name of score_scopes.
   keys:  SQL that shows scope_id (and second_scope_id) under the mart's own names. #}
{% macro score_mart(scope, keys) -%}
with

counts as (

    select
        survey_type,
        period_type,
        period_start,
        period_end,
        is_complete,
        {% for key in keys -%}
            {{ key }},
        {% endfor -%}
        responses,
        promoters,
        passives,
        detractors
    from {{ ref('period_response_counts') }}
    where scope_type = '{{ scope }}'

),

{{ nps_block_of('counts') }}

select
    {{ period_columns() }},
    {% for key in keys -%}
        {{ key.split(' as ')[-1] }},
    {% endfor -%}
    {{ nps_block() }}
from with_block
{%- endmacro %}

{# The columns with which every score mart begins. #}
{% macro period_columns(alias=none) -%}
    {%- set prefix = alias ~ '.' if alias else '' -%}
    {%- for column in [
        'survey_type', 'period_type', 'period_start', 'period_end', 'is_complete',
    ] -%}
        {{ prefix }}{{ column }}{{ ",
    " if not loop.last }}
    {%- endfor -%}
{%- endmacro %}
