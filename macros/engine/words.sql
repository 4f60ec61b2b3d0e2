{# Whole words of any script that puts blanks between them: runs of letters and figures. They are
   marked by one constant pattern; a pattern made row by row takes a millisecond each. #}

{# A text with every word between two marks, which the text itself may not hold. #}
{% macro marked_words(text) -%}
    {{ adapter.dispatch('marked_words')(text) }}
{%- endmacro %}

{% macro default__marked_words(text) -%}
    regexp_replace(translate({{ text }}, '␞␟', '  '), '([\p{L}\p{N}]+)', '␞\1␟', 'g')
{%- endmacro %}

{# The text again. #}
{% macro unmarked_words(marked) -%}
    translate({{ marked }}, '␞␟', '')
{%- endmacro %}

{% macro marked_word(word) -%}
    '␞' || {{ word }} || '␟'
{%- endmacro %}

{# The words of a text with one blank between them. #}
{% macro spaced_words(text) -%}
    {{ adapter.dispatch('spaced_words')(text) }}
{%- endmacro %}

{% macro default__spaced_words(text) -%}
    trim(regexp_replace({{ text }}, '[^\p{L}\p{N}]+', ' ', 'g'))
{%- endmacro %}

{# The word at a place (from 1) of a text of spaced words; '' behind the last. #}
{% macro word_at(words, place) -%}
    split_part({{ words }}, ' ', {{ place }})
{%- endmacro %}
