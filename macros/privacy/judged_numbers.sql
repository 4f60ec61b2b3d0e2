{# CTEs, the last of them `judged_numbers`: whether each piece of a text is a card or a phone number.

   A card number has 13-19 figures, begins with 2-6 and passes Luhn. A phone number is what looks
   like one; in doubt it is one, unless a word, a letter, a currency or its own shape says date,
   amount, version or reference.

   pieces: CTE with the key of a text, piece_number, piece, is_number, before, behind. #}
{% macro judged_numbers(pieces, key) -%}
    {%- set currency = '(?:[€$£¥₹₽₺₩]|eur|usd|gbp|chf|euro|dollar|pesos|zł|kč|руб|元|円)' -%}
    {%- set unit = '(?:%|km|kwh|mwh|kb|mb|gb|ms |kg|points|puntos|punkte|stück|units)' -%}
    plain_numbers as (

        select
            {{ key }},
            piece_number,
            piece,
            is_number,
            lower(coalesce(before, '')) as before,
            lower(coalesce(behind, '')) as behind,
            case when is_number then {{ plain_number('piece') }} end as plain
        from {{ pieces }}

    ),

    -- A date beside a number is not part of it.
    undated as (

        select
            *,
            trim({{ without_dates("' ' || plain || ' '") }}) as shape,
            {{ replace_matches('plain', '[^0-9]', '') }} as all_digits,
            -- Four groups of four, or four, six and five, beside other figures.
            {{ replace_matches(
                extracted(
                    'plain',
                    '(?:[0-9]{4}[ .-]?){3}[0-9]{4}|3[47][0-9]{2}[ .-]?[0-9]{6}[ .-]?[0-9]{5}'
                ), '[^0-9]', ''
            ) }} as grouped_digits
        from plain_numbers

    ),

    described as (

        select
            {{ key }},
            piece_number,
            piece,
            is_number,
            shape,
            all_digits,
            grouped_digits,
            {{ replace_matches('shape', '[^0-9]', '') }} as digits,
            -- 030-123 45 is `999 999 99`: how long its groups are.
            trim({{ replace_matches(replace_matches('shape', '[^0-9]+', ' '), '[0-9]', '9') }})
                as groups,
            case when is_number then {{ number_context('before') }} end as context,
            {{ matches('before', '[a-zà-ÿ#=&_][-/]?$') }}
            or {{ matches('before', 'https?://[^ ]*$') }}
            or {{ matches('behind', '^[a-z_]') }} as is_in_a_code,
            {{ matches('before', currency ~ '[ .]{0,2}$') }}
            or {{ matches('behind', '^ ?(?:' ~ currency ~ '|' ~ unit ~ ')') }}
            or {{ matches('behind', "^[,''’][0-9]") }}
            or {{ matches('before', "[0-9][,''’]$") }} as is_an_amount
        from undated

    ),

    shaped as (

        select
            *,
            length(digits) as figures,
            {{ matches('shape', '[^0-9]') }} as has_signs,
            {{ matches('shape', '^[(]?[+]') }}
            or ({{ matches('shape', '^[(]?00[1-9]') }} and length(digits) <= 17)
                as is_international,
            {{ phone_without_signs('digits') }} as is_bare_phone,
            {{ phone_with_signs('shape', 'groups') }} as is_grouped_phone
        from described

    ),

    judged_numbers as (

        select
            {{ key }},
            piece_number,
            piece,
            coalesce(
                is_number
                and not is_international
                and ({{ is_card_number('all_digits') }} or {{ is_card_number('grouped_digits') }}),
                false
            ) as is_card,
            coalesce(
                is_number
                and case
                    when is_international then figures >= 7
                    when context = 'phone' and not is_an_amount then figures >= 6
                    when context = 'reference' or is_in_a_code or is_an_amount then false
                    when has_signs then is_grouped_phone
                    else is_bare_phone
                end,
                false
            ) as is_phone
        from shaped

    )
{%- endmacro %}

{# 13-19 figures that a network of cards gives out and whose last one is right. #}
{% macro is_card_number(digits) -%}
    (
        {{ matches(digits, '^[2-6][0-9]{12,18}$') }}
        and ({{ luhn_sum(digits) }}) % 10 = 0
    )
{%- endmacro %}

{# Figures without a sign between them: national numbers with their leading zero, mobile numbers of
   nine to eleven figures, numbers with the country's code. Eight are as often a date. #}
{% macro phone_without_signs(digits) -%}
    {{ matches(digits, '^(?:' ~ [
        '0[1-9][0-9]{6,10}',
        '[5-9][0-9]{8}',
        '[2-9][0-9]{2}[2-9][0-9]{6}',
        '[6-9][0-9]{9}',
        '[2-9][0-9]{10,11}',
        '1[2-9][0-9]{9}',
        '(?:49|43|86|55|62|54|52)[0-9]{11}',
    ] | join('|') ~ ')$') }}
{%- endmacro %}

{# Figures in groups. What is plainly something else is named; the rest of 8-15 figures is a phone.

   shape:  the number, as plain_number gives it. groups: its groups, every figure a 9. #}
{% macro phone_with_signs(shape, groups) -%}
    {%- set digits = "length(replace(" ~ groups ~ ", ' ', ''))" -%}
    case
        -- Area code in brackets, or a leading zero.
        when {{ matches(shape, '^[(]?0[1-9(]|^[(][0-9]{2,5}[)]') }} then {{ digits }} >= 7
        -- 1.234.567; 12.345.678; 1 234 567
        when {{ matches(shape, '^[0-9]{1,2}(?:[.][0-9]{3})+$|^[0-9](?: [0-9]{3})+$') }} then false
        -- A decimal number; a version; an address of a computer.
        when {{ matches(shape, '^[0-9]+[.][0-9]+$') }} then false
        when
            {{ matches(shape, '^[0-9]{1,6}(?:[.][0-9]{1,6}){2,}$') }}
            then {{ groups }} in ('999 999 9999', '999 999 999', '99 99 99 99', '9 999 999 9999')
        when {{ matches(shape, '^[0-3]?[0-9] [01]?[0-9] (?:19|20)[0-9]{2}$') }} then false
        -- Years and numbers that begin with one; spans between round numbers; times.
        when {{ matches(shape, '^(?:19|20)[0-9]{2}[-/ ][0-9]{4,}$') }} then false
        when {{ matches(shape, '^[0-9]+00-[0-9]+00$') }} then false
        when {{ matches(shape, '^[0-2]?[0-9][.][0-5][0-9]-[0-2]?[0-9][.][0-5][0-9]$') }} then false
        -- 12345-6789 is a place in a town, unless it begins as mobile numbers do.
        when {{ groups }} = '99999 9999' then {{ matches(shape, '^[6-9]') }}
        -- Figures and tens in a row are marks.
        when {{ matches(shape, '^(?:10|[1-9])(?: (?:10|[0-9]))+$') }} then false
        when {{ digits }} = 7
            then {{ groups }} in ('999 9999', '999 99 99', '99 99 999', '9 99 99 99')
        -- Two numbers side by side, or one with its extension.
        when {{ digits }} > 15 then {{ matches(shape, '/') }}
        else {{ digits }} >= 8
    end
{%- endmacro %}

{# A number without the dates and spans of dates in it, with a time or without. Figures with blanks
   between them are none: 06 12 34 56 78 would lose its beginning. #}
{% macro without_dates(number) -%}
    {%- set year = '(?:19|20)[0-9]{2}' -%}
    {%- set month = '(?:0?[1-9]|1[0-2])' -%}
    {%- set day = '(?:0?[1-9]|[12][0-9]|3[01])' -%}
    {%- set date = '(?:' ~ [
        year ~ '[-/.]' ~ month ~ '[-/.]' ~ day,
        day ~ '[-/.]' ~ month ~ '[-/.](?:' ~ year ~ '|[0-9]{2})',
        month ~ '[-/.]' ~ day ~ '[-/.](?:' ~ year ~ '|[0-9]{2})',
        year ~ '[-/]' ~ year,
    ] | join('|') ~ ')' -%}
    {%- set date_and_time = date ~ '(?:[ -][0-2]?[0-9][.][0-5][0-9])?' -%}
    {{ replace_matches(
        number, '[ (]' ~ date_and_time ~ '(?:[ -]' ~ date_and_time ~ ')*[ )]', ' '
    ) }}
{%- endmacro %}
