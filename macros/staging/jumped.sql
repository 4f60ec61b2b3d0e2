{# Range numbers of an agent, each replaced by the one its pointer leads to; those whose pointer
   leads nowhere are dropped.

   numbers: CTE with agent_id and the column `from_column`.
   jumps:   CTE with agent_id, range_number, next_number.
   keep:    further column of `numbers` that is kept; without it the result is a range_number. #}
{% macro jumped(numbers, jumps, from_column, keep=none) -%}
    select
        numbers.agent_id,
        {% if keep -%}
            numbers.{{ keep }},
        {% endif -%}
        jumps.next_number as {{ 'next_number' if keep else 'range_number' }}
    from {{ numbers }} as numbers
    inner join {{ jumps }} as jumps
        on
            numbers.agent_id = jumps.agent_id
            and numbers.{{ from_column }} = jumps.range_number
{%- endmacro %}
