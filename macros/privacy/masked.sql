{# Text without what identifies a person: e-mail addresses, IBANs, and runs of digits long enough
   to be a phone or card number. Most texts hold none of them, and one cheap look tells. #}
{% macro masked(text) -%}
    case
        when {{ matches(text, '@|([0-9][^0-9]{0,3}){7}') }}
            then {{ masked_numbers(masked_ibans(masked_emails(text))) }}
        else {{ text }}
    end
{%- endmacro %}

{# A rejected cell as people may see it: dates, times and plain numbers say what was wrong with them
   and stay; anything else could hold a phone, card or account number. #}
{% macro masked_cell(text) -%}
    {%- set date = '([0-9]{4}[-/.][0-9]{1,2}[-/.][0-9]{1,2}|[0-9]{1,2}[-/.][0-9]{1,2}[-/.][0-9]{2,4})' -%}
    {%- set time = '[0-9]{1,2}:[0-9]{2}(:[0-9]{2}([.,][0-9]{1,9})?)?' -%}
    {%- set zone = '( ?[AaPp][Mm]| ?Z| ?[+-][0-9]{2}:?([0-9]{2})?)?' -%}
    case
        when
            {{ matches(text, '^' ~ date ~ '([T ,]+' ~ time ~ zone ~ ')?$') }}
            or {{ matches(text, '^(-?[0-9]{1,10}|[+][0-9]{1,3})([.,][0-9]{1,6})?$') }}
            then {{ text }}
        else {{ masked(text) }}
    end
{%- endmacro %}

{# Letters of any script, so that an address is not half shown; the stop behind it is the sentence's. #}
{% macro masked_emails(text) -%}
    {{ replace_matches(
        text,
        '[^[:space:]@<>()",;:]+@[^[:space:]@<>()",;:]+[.][^[:space:]@<>()",;:]*[^[:space:]@<>()",;:.!?]',
        '[e-mail]'
    ) }}
{%- endmacro %}

{% macro masked_ibans(text) -%}
    {{ replace_matches(
        text,
        '[A-Z]{2}[0-9]{2}([ -]?[A-Z0-9]{4}){2,7}([ -]?[A-Z0-9]{1,4})?',
        '[iban]'
    ) }}
{%- endmacro %}

{# Seven digits or more, with the signs people put between them. #}
{% macro masked_numbers(text) -%}
    {{ replace_matches(
        text, '[+(]?[0-9]([' ~ blank_characters() ~ './()_–—-]{0,3}[0-9]){6,}', '[number]'
    ) }}
{%- endmacro %}
