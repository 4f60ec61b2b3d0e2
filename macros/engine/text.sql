{# Text functions whose spelling differs between engines. #}

{# A text of the project's own as a literal. #}
{% macro text_literal(text) -%}
    {{ return(adapter.dispatch('text_literal')(text)) }}
{%- endmacro %}

{% macro default__text_literal(text) -%}
    {{ return("'" ~ text.replace("'", "''") ~ "'") }}
{%- endmacro %}

{# A pattern of the dialect that all patterns here are written in (RE2's) in the engine's own.

   Of RE2's dialect are used: characters, classes with [:punct:] and [:space:] of ASCII, code points as
   \x{2003}, groups, | * + ? {m,n} ^ $; a dot not: engines differ in whether it is a line's end. #}
{% macro engine_pattern(pattern) -%}
    {{ return(adapter.dispatch('engine_pattern')(pattern)) }}
{%- endmacro %}

{% macro default__engine_pattern(pattern) -%}
    {{ return(pattern) }}
{%- endmacro %}

{# Whether the pattern is found in the text (anchor it to match the whole). #}
{% macro matches(text, pattern) -%}
    {{ adapter.dispatch('matches')(text, pattern) }}
{%- endmacro %}

{% macro default__matches(text, pattern) -%}
    regexp_matches({{ text }}, '{{ engine_pattern(pattern) }}')
{%- endmacro %}

{# Every match of the pattern replaced. #}
{% macro replace_matches(text, pattern, replacement) -%}
    {{ adapter.dispatch('replace_matches')(text, pattern, replacement) }}
{%- endmacro %}

{% macro default__replace_matches(text, pattern, replacement) -%}
    regexp_replace({{ text }}, '{{ engine_pattern(pattern) }}', '{{ replacement }}', 'g')
{%- endmacro %}

{# Every match of the pattern, which has no group that captures, between two marks. #}
{% macro wrapped_matches(text, pattern, mark) -%}
    {{ replace_matches(text, '(' ~ pattern ~ ')', mark ~ matched_group(1) ~ mark) }}
{%- endmacro %}

{# What a group of the pattern matched, in the replacement of replace_matches. #}
{% macro matched_group(number) -%}
    {{ adapter.dispatch('matched_group')(number) }}
{%- endmacro %}

{% macro default__matched_group(number) -%}
    \{{ number }}
{%- endmacro %}

{# The given capture group of the first match (0: the whole match); '' where there is none. #}
{% macro extracted(text, pattern, group=0) -%}
    {{ adapter.dispatch('extracted')(text, pattern, group) }}
{%- endmacro %}

{% macro default__extracted(text, pattern, group) -%}
    regexp_extract({{ text }}, '{{ engine_pattern(pattern) }}', {{ group }})
{%- endmacro %}

{# Texts of a group behind each other, in the order of a key that is unique in it. #}
{% macro joined_texts(text, order_key) -%}
    {{ adapter.dispatch('joined_texts')(text, order_key) }}
{%- endmacro %}

{% macro default__joined_texts(text, order_key) -%}
    string_agg({{ text }}, '' order by {{ order_key }})
{%- endmacro %}

{# Every Unicode blank, the C0 controls and the zero-width characters, for a character class. #}
{% macro blank_characters() -%}
    \x{00}-\x{20}\x{85}\x{A0}\x{1680}\x{180E}\x{2000}-\x{200F}\x{2028}\x{2029}\x{202F}\x{205F}-\x{2064}\x{3000}\x{FEFF}
{%- endmacro %}

{# Text without any of them at its ends. #}
{% macro without_blanks_around(text) -%}
    {{ adapter.dispatch('without_blanks_around')(text) }}
{%- endmacro %}

{% macro default__without_blanks_around(text) -%}
    {{ replace_matches(
        text, '^[' ~ blank_characters() ~ ']+|[' ~ blank_characters() ~ ']+$', ''
    ) }}
{%- endmacro %}

{# Almost every text begins and ends with a visible character of ASCII, which a look at its bytes
   tells: `"` to `~`, without the `!` that would turn the class round. #}
{% macro duckdb__without_blanks_around(text) -%}
    case
        when {{ text }} glob '["-~]*["-~]' then {{ text }}
        else {{ default__without_blanks_around(text) }}
    end
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
    {{ adapter.dispatch('digest')(text) }}
{%- endmacro %}

{% macro default__digest(text) -%}
    sha256({{ text }})
{%- endmacro %}

{# The environment's NPS_AGENT_SALT, as the landing's plugin gives it to a connection, so that it
   stands in no SQL that is stored or logged. A connection that was not given it fails. #}
{% macro agent_salt() -%}
    {{ adapter.dispatch('agent_salt')() }}
{%- endmacro %}

{% macro default__agent_salt() -%}
    coalesce(
        cast(getvariable('nps_agent_salt') as varchar),
        cast(error('NPS_AGENT_SALT is empty, and agents are shown by pseudonym') as varchar)
    )
{%- endmacro %}

{# Whether there is one. #}
{% macro has_agent_salt() -%}
    {{ adapter.dispatch('has_agent_salt')() }}
{%- endmacro %}

{% macro default__has_agent_salt() -%}
    (coalesce(cast(getvariable('nps_agent_salt') as varchar), '') <> '')
{%- endmacro %}
