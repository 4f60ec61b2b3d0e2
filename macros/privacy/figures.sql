{# Figures and signs of numbers in any script, as people type them. #}

{# The figures 0-9 of each script, in this order. #}
{% macro figures_of_scripts() %}
    {% do return([
        '0123456789', '٠١٢٣٤٥٦٧٨٩', '۰۱۲۳۴۵۶۷۸۹', '०१२३४५६७८९', '০১২৩৪৫৬৭৮৯', '੦੧੨੩੪੫੬੭੮੯', '૦૧૨૩૪૫૬૭૮૯',
        '୦୧୨୩୪୫୬୭୮୯', '௦௧௨௩௪௫௬௭௮௯', '౦౧౨౩౪౫౬౭౮౯', '೦೧೨೩೪೫೬೭೮೯', '൦൧൨൩൪൫൬൭൮൯', '๐๑๒๓๔๕๖๗๘๙', '໐໑໒໓໔໕໖໗໘໙',
        '༠༡༢༣༤༥༦༧༨༩', '၀၁၂၃၄၅၆၇၈၉', '០១២៣៤៥៦៧៨៩', '᠐᠑᠒᠓᠔᠕᠖᠗᠘᠙', '０１２３４５６７８９', '𝟎𝟏𝟐𝟑𝟒𝟓𝟔𝟕𝟖𝟗', '𝟘𝟙𝟚𝟛𝟜𝟝𝟞𝟟𝟠𝟡',
        '𝟢𝟣𝟤𝟥𝟦𝟧𝟨𝟩𝟪𝟫', '𝟬𝟭𝟮𝟯𝟰𝟱𝟲𝟳𝟴𝟵', '𝟶𝟷𝟸𝟹𝟺𝟻𝟼𝟽𝟾𝟿',
    ]) %}
{% endmacro %}

{# Class of a figure of any script. Blocks are given by their ends: the figures lie in a row. #}
{% macro figure_class() -%}
    [
    {%- for figures in figures_of_scripts() -%}
        {{ figures[0] }}-{{ figures[-1] }}
    {%- endfor -%}
    ]
{%- endmacro %}

{# Class of a sign that may stand between the figures of a number, in one line. #}
{% macro between_figures() -%}
    [{{ inline_blank_characters() }}{{ zero_width_characters() }}()/._（）／．＿·•‐‑‒–—―−－-]
{%- endmacro %}

{# A number of at least so many figures, with the signs people put between them. A bracket belongs to
   it where it closes inside. #}
{% macro number_pattern(least) -%}
    {%- set figure = figure_class() -%}
    {%- set sign = between_figures() -%}
    {%- set plus = '(?:[+＋]' ~ sign ~ '{0,2})?' -%}
    {%- set further = '(?:' ~ sign ~ '{0,3}' ~ figure ~ ')' -%}
    {{ plus }}{{ figure }}{{ further }}{{ '{' ~ (least - 1) ~ ',}' }}|
    {{- plus }}[(（]{{ plus }}{{ figure }}(?:[ ./-]?{{ figure }}){0,4}[)）]{{ further }}{{ '{' ~ (least - 2) ~ ',}' }}
{%- endmacro %}

{# A number with its figures in ASCII, without invisible characters, one sign between groups. #}
{% macro plain_number(text) -%}
    {%- set scripts = figures_of_scripts()[1:] -%}
    {%- set signs = ['（）／．＿＋·•‐‑‒–—―−－', '()/._+..--------'] -%}
    {%- set ascii = 'translate(' ~ text ~ ", '" ~ (scripts | join) ~ signs[0] ~ "', '"
        ~ ('0123456789' * (scripts | length)) ~ signs[1] ~ "')" -%}
    {%- set visible = replace_matches(ascii, '[' ~ zero_width_characters() ~ ']', '') -%}
    {%- set blanks = replace_matches(visible, '[' ~ inline_blank_characters() ~ '_]+', ' ') -%}
    {{ replace_matches(replace_matches(blanks, ' *-+ *', '-'), ' *([/.]) *', matched_group(1)) }}
{%- endmacro %}

{# Sum of a number's figures after Luhn: from the right every second one doubled, nines cast out.
   Up to nineteen figures; zeros before them change nothing. #}
{% macro luhn_sum(digits) -%}
    {%- set padded = "lpad(" ~ digits ~ ", 19, '0')" -%}
    {%- for place in range(1, 20) -%}
        {%- set digit = 'cast(substring(' ~ padded ~ ', ' ~ place ~ ', 1) as integer)' -%}
        {%- if place % 2 == 0 -%}
            cast(substring('0246813579', {{ digit }} + 1, 1) as integer)
        {%- else -%}
            {{ digit }}
        {%- endif -%}
        {{- " + " if not loop.last }}
    {%- endfor -%}
{%- endmacro %}
