{# Shares and distributions: an interval for a share, a percentile. #}

{# One limit of Wilson's 95 % interval of a share, in percent (Wilson 1927, JASA 22:209). Null
   without a whole.

   part, whole: counts, as SQL.
   limit:       `low` or `high`. #}
{% macro wilson_limit(part, whole, limit) -%}
    {%- set n = 'cast(' ~ whole ~ ' as ' ~ double_type() ~ ')' -%}
    {%- set z = normal_quantile_95() | trim -%}
    {#- At the ends of the scale the interval ends where the scale does, to the last bit. -#}
    case when {{ whole }} > 0 then {{ 'greatest(0.0, ' if limit == 'low' else 'least(100.0, ' }}100 * (
        {{ part }} + power({{ z }}, 2) / 2
        {{ '-' if limit == 'low' else '+' }} {{ z }} * sqrt(
            {{ part }} * ({{ whole }} - {{ part }}) / {{ n }} + power({{ z }}, 2) / 4
        )
    ) / ({{ n }} + power({{ z }}, 2))) end
{%- endmacro %}

{# A percentile by nearest rank: the smallest value that at least so many percent of the values do
   not exceed. An aggregate of rows that know their position; whole numbers decide, so that every
   engine gives the same value.

   value:     what is ranked.
   percent:   a whole number, 1-100.
   position:  1 for the smallest; of equal values the last may stand for all.
   positions: how many there are. #}
{% macro percentile_by_rank(value, percent, position, positions) -%}
    min(case when 100 * {{ position }} >= {{ percent }} * {{ positions }} then {{ value }} end)
{%- endmacro %}
