{# What is compared of those who score better than expected: how their contacts went. Of each driver
   its value in an answer, and a sentence with {own} and {others} in it. #}
{% macro practice_drivers() %}
    {% set seconds = 'case when {} <= ' ~ longest_handle_seconds() ~ ' then {} end' %}
    {% do return({
        'queue_seconds': {
            'value': seconds.replace('{}', 'queue_seconds'),
            'sentence': 'customers wait {own} seconds in the queue, with others {others}',
        },
        'hold_seconds': {
            'value': seconds.replace('{}', 'hold_seconds'),
            'sentence': 'customers are on hold for {own} seconds, with others {others}',
        },
        'handle_seconds': {
            'value': seconds.replace('{}', 'handle_seconds'),
            'sentence': 'a contact takes {own} seconds, with others {others}',
        },
        'transfers_per_100': {
            'value': '100 * transfers',
            'sentence': '{own} transfers in 100 contacts, with others {others}',
        },
        'resolved_pct': {
            'value': 'case when is_resolved then 100 when not is_resolved then 0 end',
            'sentence': '{own} of 100 contacts are resolved, with others {others}',
        },
    }) %}
{% endmacro %}

{# Of each driver how many answers know it, its sum and its sum of squares. #}
{% macro practice_sums() -%}
    {%- for name, driver in practice_drivers().items() -%}
        {%- set value = 'cast(' ~ driver.value ~ ' as ' ~ double_type() ~ ')' -%}
        count({{ value }}) as {{ name }}_n,
        {{ sum_of_doubles(value) }} as {{ name }}_total,
        {{ sum_of_doubles('power(' ~ value ~ ', 2)') }} as {{ name }}_squares{{ ",
        " if not loop.last }}
    {%- endfor -%}
{%- endmacro %}

{# Those sums as a row per driver: the last select of a model.

   of:   a CTE with the columns of practice_sums.
   keys: its other columns. #}
{% macro row_per_driver(of, keys) -%}
    {%- for name in practice_drivers() -%}
        select
            {{ keys | join(',
            ') }},
            '{{ name }}' as driver,
            {{ name }}_n as answers,
            {{ name }}_total as total,
            {{ name }}_squares as squares
        from {{ of }}
        where {{ name }}_n > 0
        {{- "
        union all
        " if not loop.last }}
    {% endfor -%}
{%- endmacro %}

{# What is different, in words for a huddle; its numbers are rounded, to be read out. #}
{% macro practice_sentence(driver, own, others) -%}
    case {{ driver }}
        {% for name, each in practice_drivers().items() -%}
            {%- set parts = each.sentence.replace('{', '|').replace('}', '|') -%}
            when '{{ name }}' then
                {%- for part in parts.split('|') if part %}
                    {{ '|| ' if not loop.first }}
                    {%- if part == 'own' -%} {{ whole_as_text(own) }}
                    {%- elif part == 'others' -%} {{ whole_as_text(others) }}
                    {%- else -%} '{{ part }}'
                    {%- endif -%}
                {%- endfor %}
        {% endfor %}
    end
{%- endmacro %}

{# A number as it is said: whole. #}
{% macro whole_as_text(number) -%}
    cast(cast(round({{ number }}) as bigint) as {{ engine_type('varchar') }})
{%- endmacro %}
