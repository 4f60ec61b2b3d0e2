{# Comments without the names of colleagues. #}

{# Most words of names that are taken out of one comment. #}
{% macro most_names() -%}
    {% do return(6) %}
{%- endmacro %}

{# A text of marked words with `[agent]` in place of the columns name_1 … of `names`, however people
   write them: in small letters, as delivered (delivered_1 …), with a capital, in capitals. A column
   without a name is what no word is. #}
{% macro nameless(marked, names) -%}
    {%- set shown = namespace(comment=marked) -%}
    {%- for place in range(1, most_names() + 1) -%}
        {%- set word = names ~ '.name_' ~ place -%}
        {%- for form in [
            word, names ~ '.delivered_' ~ place, 'upper(' ~ word ~ ')',
            'upper(left(' ~ word ~ ', 1)) || substr(' ~ word ~ ', 2)',
        ] -%}
            {%- set shown.comment = "replace(" ~ shown.comment ~ ", coalesce("
                ~ marked_word(form) ~ ", '␞␟'), '[agent]')" -%}
        {%- endfor -%}
    {%- endfor -%}
    {{ shown.comment }}
{%- endmacro %}

{# Whether such a text still holds one of these names, in whatever letters. #}
{% macro is_still_named(marked, names) -%}
    {%- for place in range(1, most_names() + 1) -%}
        position(coalesce({{ marked_word(names ~ '.name_' ~ place) }}, '␞␟') in lower({{ marked }}))
        > 0
        {{- "
            or " if not loop.last }}
    {%- endfor -%}
{%- endmacro %}
