{# A text of marked words with `[agent]` in place of a word, however people write it: in small
   letters, as it is delivered, with a capital, in capitals. Without a word the text as it is. #}
{% macro nameless(marked, small, delivered) -%}
    {%- set shown = namespace(text=marked) -%}
    {%- for form in [
        small, delivered, 'upper(' ~ small ~ ')',
        'upper(left(' ~ small ~ ', 1)) || substr(' ~ small ~ ', 2)',
    ] -%}
        {%- set shown.text = 'replace(' ~ shown.text ~ ', ' ~ marked_word_or_none(form)
            ~ ", '[agent]')" -%}
    {%- endfor -%}
    {{ shown.text }}
{%- endmacro %}

{# A marked word to look for; where there is none, what no text holds: a word without letters. #}
{% macro marked_word_or_none(word) -%}
    coalesce({{ marked_word(word) }}, {{ marked_word("''") }})
{%- endmacro %}
