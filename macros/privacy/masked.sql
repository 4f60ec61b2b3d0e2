{# Texts without what identifies a person. `masked_texts` is the exact way, for comments;
   `masked_cell` the cautious one, for cells that could not be read. #}

{# A cheap look: most texts hold no address, no account and no six figures near each other. #}
{% macro may_be_personal(text) -%}
    {%- set figure = figure_class() -%}
    {%- set account = '[A-Za-z]{2}[0-9]{2}(?:['
        ~ inline_blank_characters() ~ '.-]?[A-Za-z0-9]){11}' -%}
    {{ matches(
        text, '[@＠﹫]|[(\\[{] ?(?:at|AT|arroba) ?[)\\]}]|(?:[0-9][^0-9]{0,3}){6}|' ~ account
    ) }}
    or (
        {{ matches(text, not_latin_class()) }}
        and {{ matches(text, '(?:' ~ figure ~ '[^0-9]{0,3}){6}') }}
    )
{%- endmacro %}

{# A query: of every text that may be personal, its key and the text with [e-mail], [iban], [card]
   and [phone] in place of them. A text without such a look has no row.

   relation: relation with the columns `key`, which is unique, and `text`; they keep their names. #}
{% macro masked_texts(relation, key, text) -%}
    {%- set mark = '␞' -%}
    {%- set number = number_pattern(least=6) -%}
    {#- A text is cut into so many pieces at most; with more numbers than that all of them go. -#}
    {%- set most_pieces = 512 -%}
    with

    suspects as (

        select
            {{ key }},
            {{ masked_emails('replace(' ~ text ~ ", '" ~ mark ~ "', ' ')") }} as text_without_emails
        from {{ relation }}
        where {{ may_be_personal(text) }}

    ),

    without_ibans as (

        select
            {{ key }},
            {{ masked_ibans('text_without_emails') }} as plain_text
        from suspects

    ),

    marked as (

        select
            {{ key }},
            plain_text,
            {{ wrapped_matches('plain_text', number, mark) }} as marked_text
        from without_ibans

    ),

    counted as (

        select
            {{ key }},
            plain_text,
            marked_text,
            1 + length(marked_text) - length(replace(marked_text, '{{ mark }}', '')) as pieces
        from marked

    ),

    octal as (

        {% for figure in range(8) -%}
            select {{ figure }} as figure
            {{- " union all " if not loop.last }}
        {% endfor %}

    ),

    numbers as (

        select 1 + ones.figure + 8 * eights.figure + 64 * others.figure as piece_number
        from octal as ones
        cross join octal as eights
        cross join octal as others

    ),

    pieces as (

        select
            counted.{{ key }},
            numbers.piece_number,
            split_part(counted.marked_text, '{{ mark }}', numbers.piece_number) as piece
        from counted
        inner join numbers
            on counted.pieces >= numbers.piece_number
        where counted.pieces <= {{ most_pieces }}

    ),

    neighbours as (

        select
            {{ key }},
            piece_number,
            piece,
            -- Every second piece is a number; what is around it says which.
            piece_number % 2 = 0 as is_number,
            case when piece_number % 2 = 0 then lag(piece) over in_order end as before,
            case when piece_number % 2 = 0 then lead(piece) over in_order end as behind
        from pieces
        window in_order as (partition by {{ key }} order by piece_number)

    ),

    {{ judged_numbers('neighbours', key) }},

    joined as (

        select
            {{ key }},
            {{ joined_texts(
                "case when is_card then '[card]' when is_phone then '[phone]' else piece end",
                'piece_number'
            ) }} as {{ text }}
        from judged_numbers
        group by {{ key }}

    )

    select
        {{ key }},
        {{ text }}
    from joined
    union all
    select
        {{ key }},
        {{ masked_figures('plain_text') }} as {{ text }}
    from counted
    where pieces > {{ most_pieces }}
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
        when {{ may_be_personal(text) }}
            then {{ masked_figures(masked_ibans(masked_emails(text))) }}
        else {{ text }}
    end
{%- endmacro %}

{# Letters of any script, so that an address is not half shown; the stop behind it is the sentence's.
   Invisible characters do not break an address; `(at)` and a full-width sign are an @. #}
{% macro masked_emails(text) -%}
    {%- set outside = inline_blank_characters() ~ '[:space:]@＠﹫<>()\\[\\]{}",;:«»“”„' -%}
    {%- set local_part = '(?:[^' ~ outside ~ ']+|"[^"@]{1,64}")' -%}
    {#- With blanks around it, an @ can also stand before a price. -#}
    {%- set at = '(?:[@＠﹫]|[@＠﹫] [^' ~ outside ~ '0-9]| [@＠﹫] [^' ~ outside ~ '0-9]'
        ~ '| ?[(\\[{] ?(?:at|AT|arroba) ?[)\\]}] ?)' -%}
    {%- set dot = '(?:[.．。]| ?[(\\[{] ?(?:dot|DOT|punto|punkt) ?[)\\]}] ?)' -%}
    {{ replace_matches(
        text,
        local_part ~ at ~ '[^' ~ outside ~ ']+(?:' ~ dot ~ '[^' ~ outside ~ ']*)*'
        ~ dot ~ '[^' ~ outside ~ ']*[^' ~ outside ~ '.!?]',
        '[e-mail]'
    ) }}
{%- endmacro %}

{# The pattern of all countries is a long one; few texts have what each of them begins with. #}
{% macro masked_ibans(text) -%}
    {%- set between = '[' ~ inline_blank_characters() ~ zero_width_characters() ~ '.‐‑–-]' -%}
    {%- set figure = figure_class() -%}
    case
        when {{ matches(
            text,
            '[A-Za-z]{2}' ~ between ~ '{0,2}' ~ figure ~ '{2}(?:' ~ between ~ '{0,2}(?:[A-Za-z]|'
            ~ figure ~ ')){11}'
        ) }}
            then {{ replace_matches(
                text,
                '(^|[^A-Za-z0-9])(?:' ~ iban_pattern(figure, between) ~ ')',
                matched_group(1) ~ '[iban]'
            ) }}
        else {{ text }}
    end
{%- endmacro %}

{# Any seven figures or more, whatever they are, with the signs people put between them. #}
{% macro masked_figures(text) -%}
    {{ replace_matches(text, number_pattern(least=7), '[number]') }}
{%- endmacro %}
