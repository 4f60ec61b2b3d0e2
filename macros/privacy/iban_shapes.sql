{# What follows an IBAN's country and its two check digits, by the countries that have it: figures
   (n), letters (a) or either (c), and how many. IBAN registry of SWIFT, release 101. #}
{% macro iban_shapes() %}
    {% do return({
        '11n': 'NO', '12n': 'BE', '14n': 'DK FI FO GL SD', '15n': 'SI',
        '16n': 'AT BA EE LT MN XK', '17n': 'HR', '18n': 'CR DE ME RS VA', '19n': 'AE IL SO TL',
        '20n': 'CZ ES SE SK TN', '21n': 'LY PT ST', '22n': 'IS', '23n': 'BI DJ MR',
        '24n': 'HU PL', '25n': 'EG',
        '10n 11c 2n': 'FR MC', '14n 15c': 'RU', '23n 1a 1c': 'BR', '2n 18c': 'SA',
        '3n 10c 2n': 'MK', '3n 13c': 'KZ LU', '3n 16c': 'OM', '4n 20c': 'LB', '5n 12c': 'CH LI',
        '6n 16c': 'TR', '6n 19c': 'UA', '7n 16c': 'GR', '8n 12c': 'AD', '8n 16c': 'AL CY',
        '1a 10n 12c': 'IT SM', '2a 12n': 'FK', '2a 16n': 'GE', '4a 10n': 'NL', '4a 13c': 'LV',
        '4a 14c': 'BH', '4a 14n': 'GB IE', '4a 15c': 'GI', '4a 15n': 'IQ', '4a 16c': 'PK RO',
        '4a 16n': 'VG', '4a 19n 3a': 'MU', '4a 20c': 'AZ', '4a 20n': 'HN NI SV',
        '4a 20n 3a': 'SC', '4a 21c': 'PS QA', '4a 22c': 'KW', '4a 24c': 'LC', '4a 4n 18c': 'JO YE',
        '4a 5n 18c': 'MT', '4a 6n 8c': 'BG', '4c 20n': 'DO', '4c 4n 16c': 'BY', '20c': 'MD',
        '24c': 'GT',
    }) %}
{% endmacro %}

{# Regular expression of an IBAN as its country has it, in capitals with signs between its groups or
   in small letters without; and of four printed groups of figures, in which one may be missing.

   figure: class of a figure; between: class of a sign that may stand between two. #}
{% macro iban_pattern(figure, between) -%}
    {%- set spelt = {
        'printed': {'n': figure, 'a': '[A-Z]', 'c': '(?:[A-Z]|' ~ figure ~ ')'},
        'small': {'n': '[0-9]', 'a': '[a-z]', 'c': '[a-z0-9]'},
    } -%}
    {%- set gap = {'printed': between ~ '{0,2}', 'small': ''} -%}
    {%- set patterns = [] -%}
    {%- for style, classes in spelt.items() -%}
        {%- for shape, countries in iban_shapes().items() -%}
            {%- set country = countries.replace(' ', '|') -%}
            {%- set country = country if style == 'printed' else country | lower -%}
            {%- set parts = ['(?:' ~ country ~ ')' ~ gap[style] ~ classes.n ~ '{2}'] -%}
            {%- for part in shape.split(' ') -%}
                {%- do parts.append(
                    '(?:' ~ gap[style] ~ classes[part[-1]] ~ '){' ~ part[:-1] ~ '}'
                ) -%}
            {%- endfor -%}
            {%- do patterns.append(parts | join) -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- do patterns.append(
        '[A-Z]{2}' ~ figure ~ '{2}(?:' ~ between ~ '{1,2}' ~ figure ~ '{4}){3,}(?:' ~ between
        ~ '{1,2}' ~ figure ~ '{1,4})?'
    ) -%}
    {{ patterns | join('|') }}
{%- endmacro %}
