{# Text functions whose spelling differs between engines. #}

{# Whether the pattern is found in the text (anchor it to match the whole). #}
{% macro matches(text, pattern) -%}
    regexp_matches({{ text }}, '{{ pattern }}')
{%- endmacro %}

{# Every match of the pattern replaced. #}
{% macro replace_matches(text, pattern, replacement) -%}
    regexp_replace({{ text }}, '{{ pattern }}', '{{ replacement }}', 'g')
{%- endmacro %}

{# The given capture group of the first match (0: the whole match); '' where there is none. #}
{% macro extracted(text, pattern, group=0) -%}
    regexp_extract({{ text }}, '{{ pattern }}', {{ group }})
{%- endmacro %}

{# Every Unicode blank, the C0 controls and the zero-width characters, for a character class. #}
{% macro blank_characters() -%}
    \x{00}-\x{20}\x{85}\x{A0}\x{1680}\x{180E}\x{2000}-\x{200F}\x{2028}\x{2029}\x{202F}\x{205F}-\x{2064}\x{3000}\x{FEFF}
{%- endmacro %}

{# Hexadecimal digest, hard to turn back where the salt is secret. #}
{% macro digest(text) -%}
    sha256({{ text }})
{%- endmacro %}
