{# Text functions whose spelling differs between engines. #}

{# Whether the pattern is found in the text (anchor it to match the whole). #}
{% macro matches(text, pattern) -%}
    regexp_matches({{ text }}, '{{ pattern }}')
{%- endmacro %}

{# Every match of the pattern replaced. #}
{% macro replace_matches(text, pattern, replacement) -%}
    regexp_replace({{ text }}, '{{ pattern }}', '{{ replacement }}', 'g')
{%- endmacro %}

{# Every match of the pattern, which has no group that captures, between two marks. #}
{% macro wrapped_matches(text, pattern, mark) -%}
    regexp_replace({{ text }}, '({{ pattern }})', '{{ mark }}\1{{ mark }}', 'g')
{%- endmacro %}

{# What a group of the pattern matched, in the replacement of replace_matches. #}
{% macro matched_group(number) -%}
    \{{ number }}
{%- endmacro %}

{# The given capture group of the first match (0: the whole match); '' where there is none. #}
{% macro extracted(text, pattern, group=0) -%}
    regexp_extract({{ text }}, '{{ pattern }}', {{ group }})
{%- endmacro %}

{# Texts of a group behind each other, in the order of a key that is unique in it. #}
{% macro joined_texts(text, order_key) -%}
    string_agg({{ text }}, '' order by {{ order_key }})
{%- endmacro %}

{# Every Unicode blank, the C0 controls and the zero-width characters, for a character class. #}
{% macro blank_characters() -%}
    \x{00}-\x{20}\x{85}\x{A0}\x{1680}\x{180E}\x{2000}-\x{200F}\x{2028}\x{2029}\x{202F}\x{205F}-\x{2064}\x{3000}\x{FEFF}
{%- endmacro %}

{# Those with a width that do not end a line; those without a width (the soft hyphen among them). #}
{% macro inline_blank_characters() -%}
    \x{09}\x{20}\x{A0}\x{1680}\x{2000}-\x{200A}\x{202F}\x{205F}\x{3000}
{%- endmacro %}

{% macro zero_width_characters() -%}
    \x{AD}\x{180E}\x{200B}-\x{200F}\x{202A}-\x{202E}\x{2060}-\x{2064}\x{2066}-\x{2069}\x{FEFF}
{%- endmacro %}

{# A character that no language in Latin letters needs: other scripts, wide signs, emoji. #}
{% macro not_latin_class() -%}
    [^\x{00}-\x{2FF}]
{%- endmacro %}

{# Hexadecimal digest, hard to turn back where the salt is secret. #}
{% macro digest(text) -%}
    sha256({{ text }})
{%- endmacro %}

{# The environment's NPS_AGENT_SALT, as the landing's plugin gives it to a connection, so that it
   stands in no SQL that is stored or logged. A connection that was not given it fails. #}
{% macro agent_salt() -%}
    coalesce(
        cast(getvariable('nps_agent_salt') as varchar),
        cast(error('NPS_AGENT_SALT is empty, and agents are shown by pseudonym') as varchar)
    )
{%- endmacro %}

{# Whether there is one. #}
{% macro has_agent_salt() -%}
    (coalesce(cast(getvariable('nps_agent_salt') as varchar), '') <> '')
{%- endmacro %}
