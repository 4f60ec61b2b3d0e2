{# Shares and distributions: an interval for a share, a percentile. #}

{# One limit of Wilson's 95 % interval of a share, in percent (Wilson 1927, JASA 22:209). Null
   without a whole.

   part, whole: counts, as SQL.
   limit:       `low` or `high`. #}
{% macro wilson_limit(part, whole, limit) -%}
    {%- set n = 'cast(' ~ whole ~ ' as ' ~ double_type() ~ ')' -%}
    {%- set z = normal_quantile_95() | trim -%}
    case
        {#- At the ends of the scale the interval ends where the scale does, to the last bit. #}
        when {{ whole }} > 0 and {{ part }} = {{ 0 if limit == 'low' else whole }}
            then {{ '0.0' if limit == 'low' else '100.0' }}
        when {{ whole }} > 0
            then
                100 * (
                    {{ part }} + power({{ z }}, 2) / 2
                    {{ '-' if limit == 'low' else '+' }} {{ z }} * sqrt(
                        {{ part }} * ({{ whole }} - {{ part }}) / {{ n }} + power({{ z }}, 2) / 4
                    )
                ) / ({{ n }} + power({{ z }}, 2))
    end
{%- endmacro %}

{# A percentile by nearest rank: the smallest value that at least so many percent of the values do
   not exceed. An aggregate; values that are null do not count.

   value:   what is ranked.
   percent: a whole number, 1-100. #}
{% macro percentile(value, percent) -%}
    percentile_disc({{ percent / 100 }}) within group (order by {{ value }})
{%- endmacro %}

{# The same, of rows that know their place, each of them standing for many values; whole numbers
   decide.

   value:   what is ranked.
   percent: a whole number, 1-100.
   place:   1 for the smallest; of equal values the last may stand for all.
   places:  how many there are. #}
{% macro percentile_by_rank(value, percent, place, places) -%}
    min(case when 100 * {{ place }} >= {{ percent }} * {{ places }} then {{ value }} end)
{%- endmacro %}

{# z of a change between two independent shares, by the pooled share. Null where all or none have it.

   before, after: the two counts that have it.
   before_whole, after_whole: the counts they are parts of. #}
{% macro two_proportion_z(before, before_whole, after, after_whole) -%}
    {%- set double = double_type() -%}
    {%- set pooled = '(cast(' ~ before ~ ' + ' ~ after ~ ' as ' ~ double ~ ') / ('
        ~ before_whole ~ ' + ' ~ after_whole ~ '))' -%}
    (
        cast({{ after }} as {{ double }}) / {{ after_whole }}
        - cast({{ before }} as {{ double }}) / {{ before_whole }}
    ) / nullif(sqrt(
        {{ pooled }} * (1 - {{ pooled }})
        * (1 / cast({{ before_whole }} as {{ double }}) + 1 / cast({{ after_whole }} as {{ double }}))
    ), 0)
{%- endmacro %}

{# How many of a group are to be expected to have something, summed over strata: aggregate.

   group_size:  of the group, in the stratum.
   having:      how many of all in the stratum have it.
   stratum_size: of all, the group included. #}
{% macro stratified_expected(group_size, having, stratum_size) -%}
    {{ sum_of_doubles(
        'cast(' ~ group_size ~ ' * ' ~ having ~ ' as ' ~ double_type() ~ ') / ' ~ stratum_size
    ) }}
{%- endmacro %}

{# z of a group against the rest over strata, an aggregate (Cochran 1954; Mantel and Haenszel 1959,
   JNCI 22:719, without correction): observed less expected over the root of the summed variances.
   Differences between the strata do not enter it. Null where no stratum can tell.

   observed: how many of the group have it, in the stratum; the others as in
             stratified_expected. #}
{% macro stratified_z(observed, group_size, having, stratum_size) -%}
    {%- set n = 'cast(' ~ stratum_size ~ ' as ' ~ double_type() ~ ')' -%}
    (
        sum({{ observed }}) - {{ stratified_expected(group_size, having, stratum_size) }}
    ) / nullif(sqrt({{ sum_of_doubles(
        'case when ' ~ stratum_size ~ ' > 1 then '
        ~ group_size ~ ' / ' ~ n ~ ' * (' ~ stratum_size ~ ' - ' ~ group_size ~ ')'
        ~ ' * ' ~ having ~ ' / ' ~ n ~ ' * (' ~ stratum_size ~ ' - ' ~ having ~ ')'
        ~ ' / (' ~ n ~ ' - 1) else 0 end'
    ) }}), 0)
{%- endmacro %}

{# Sums of whole numbers that stay whole and 64 bits wide, under their own names. #}
{% macro summed_bigints(names) -%}
    {%- for name in names -%}
        cast(sum({{ name }}) as bigint) as {{ name }}
        {%- if not loop.last %},
    {% endif -%}
    {%- endfor -%}
{%- endmacro %}
