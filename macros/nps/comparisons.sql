{# One group or period against another: change, certainty, verdict. Everything in points, as in the
   NPS block; p-values are shares of 1. #}

{# Standard error of a difference between independent scores, of their standard errors. #}
{% macro difference_standard_error(first, second) -%}
    sqrt(power({{ first }}, 2) + power({{ second }}, 2))
{%- endmacro %}

{# z of a change from `before` to `after`: of each the middle of its adjusted Wald interval
   (nps_adjusted) and its standard error (nps_standard_error). #}
{% macro difference_z(before_adjusted, before_error, after_adjusted, after_error) -%}
    (({{ after_adjusted }}) - ({{ before_adjusted }}))
    / {{ difference_standard_error(before_error, after_error) }}
{%- endmacro %}

{# Two-sided p of a standard normal z: twice the upper tail, by Hart's rational approximation as
   West gives it (2005, "Better approximations to cumulative normal functions"), good to 14 digits;
   the common one with 7 digits is too coarse once p is multiplied. #}
{% macro two_sided_p(z) -%}
    {%- set x = 'abs(' ~ z ~ ')' -%}
    {%- set above = [
        0.0352624965998911, 0.700383064443688, 6.37396220353165, 33.912866078383,
        112.079291497871, 221.213596169931, 220.206867912376,
    ] -%}
    {%- set below = [
        0.0883883476483184, 1.75566716318264, 16.064177579207, 86.7807322029461,
        296.564248779674, 637.333633378831, 793.826512519948, 440.413735824752,
    ] -%}
    case
        when {{ x }} > 37 then 0.0
        when {{ x }} < 7.07106781186547
            then 2 * exp(-power({{ z }}, 2) / 2) * ({{ horner(above, x) }}) / ({{ horner(below, x) }})
        when {{ x }} >= 7.07106781186547
            then
                2 * exp(-power({{ z }}, 2) / 2) / 2.5066282746310002
                / ({{ x }} + 1 / ({{ x }} + 2 / ({{ x }} + 3 / ({{ x }} + 4 / ({{ x }} + 0.65)))))
    end
{%- endmacro %}

{# A polynomial, highest power first, by Horner's rule. #}
{% macro horner(coefficients, x) -%}
    {{ '(' * (coefficients | length - 2) }}{{ double_literal(coefficients[0]) }} * {{ x }}
    {%- for coefficient in coefficients[1:] %} + {{ double_literal(coefficient) }}
        {%- if not loop.last %}) * {{ x }}{% endif -%}
    {%- endfor -%}
{%- endmacro %}

{# A group against the rest. Adds CTEs, of which the last, `<of>_compared`, has the columns of
   `of`, which holds counts of both (rest_responses, rest_promoters, …), and nps, rest_nps, middle
   and half_width of the interval of their difference, z, is_comparable, and p_value, null where
   they are not comparable. #}
{% macro against_the_rest(of) -%}
    {%- set own = ['detractors', 'passives', 'promoters'] -%}
    {%- set rest = ['rest_detractors', 'rest_passives', 'rest_promoters'] -%}
{{ of }}_scored as (

    select
        *,
        {{ nps(*own) }} as nps,
        {{ nps(*rest) }} as rest_nps,
        {{ nps_adjusted(*own) }} as nps_adjusted,
        {{ nps_standard_error(*own) }} as nps_error,
        -- Of nobody there is none.
        case when rest_responses > 0 then {{ nps_adjusted(*rest) }} end as rest_adjusted,
        {{ nps_standard_error(*rest) }} as rest_error,
        least(responses, rest_responses) >= {{ var('nps_min_responses') }} as is_comparable
    from {{ of }}

),

{{ of }}_differing as (

    select
        *,
        nps_adjusted - rest_adjusted as middle,
        {{ normal_quantile_95() }}
        * {{ difference_standard_error('rest_error', 'nps_error') }} as half_width,
        {{ difference_z('rest_adjusted', 'rest_error', 'nps_adjusted', 'nps_error') }} as z
    from {{ of }}_scored

),

{{ of }}_compared as (

    select
        *,
        case when is_comparable then {{ two_sided_p('z') }} end as p_value
    from {{ of }}_differing

)
{%- endmacro %}

{# p-values adjusted for many comparisons at once (Benjamini and Hochberg 1995). Adds the CTEs
   `<of>_ranked` and `<of>_adjusted`; the last has the columns of `of` and adjusted_p_value, null
   where a row is not tested.

   of:     a CTE with a p-value a row.
   p:      its column; a row where it is null is no comparison and does not count as one.
   within: the columns that make a set of comparisons.
   key:    the columns that tell the rows of a set apart: the same data give the same bytes. #}
{% macro benjamini_hochberg(of, within, key, p='p_value') -%}
    {%- set sets = within | join(', ') -%}
{{ of }}_ranked as (

    select
        *,
        row_number() over (
            partition by {{ sets }}, {{ p }} is null
            order by {{ p }}, {{ key | join(', ') }}
        ) as p_rank,
        count(*) over (partition by {{ sets }}, {{ p }} is null) as p_count
    from {{ of }}

),

{{ of }}_adjusted as (

    -- The smallest of a p-value's own multiple and those of all greater ones, so that the order of
    -- the p-values stays. The multiple is divided first: the greatest p-value's is 1, exactly.
    select
        *,
        case
            when {{ p }} is not null
                then least(1.0, min({{ p }} * (cast(p_count as {{ double_type() }}) / p_rank)) over (
                    partition by {{ sets }}, {{ p }} is null
                    order by p_rank desc nulls last
                    rows between unbounded preceding and current row
                ))
        end as adjusted_p_value
    from {{ of }}_ranked

)
{%- endmacro %}

{# `up`, `down` or `no evidence`. A movement is called one only where it may be compared, is
   significant after adjustment, and has the same sign as shown: adjusted counts can move against
   the raw ones, (0, 0, 1) to (0, 1, 270) falls with z = +1.96.

   change:        the raw change that is shown.
   z:             the statistic it was tested with.
   p:             its p-value, adjusted where there are many.
   is_comparable: SQL that says both sides have the minimum sample and are complete. #}
{% macro verdict(change, z, p, is_comparable) -%}
    case
        when not coalesce({{ is_comparable }}, false) then 'no evidence'
        when {{ p }} < {{ significance_level() }} and {{ change }} > 0 and {{ z }} > 0 then 'up'
        when {{ p }} < {{ significance_level() }} and {{ change }} < 0 and {{ z }} < 0 then 'down'
        else 'no evidence'
    end
{%- endmacro %}

{# Verdicts are at 95 %, as the intervals are. #}
{% macro significance_level() -%}
    0.05
{%- endmacro %}

{# Columns of the change from one row to another, each of which has nps, nps_adjusted and
   nps_standard_error; the prefix tells several comparisons of a row apart. The raw change, the
   change the test is about, its standard error and z: all null where a row is missing. #}
{% macro change_columns(after, before, prefix='') -%}
    {{ after }}.nps - {{ before }}.nps as {{ prefix }}nps_change,
    {{ after }}.nps_adjusted - {{ before }}.nps_adjusted as {{ prefix }}adjusted_nps_change,
    {{ difference_standard_error(
        before ~ '.nps_standard_error', after ~ '.nps_standard_error'
    ) }} as {{ prefix }}nps_change_standard_error,
    {{ difference_z(
        before ~ '.nps_adjusted', before ~ '.nps_standard_error',
        after ~ '.nps_adjusted', after ~ '.nps_standard_error',
    ) }} as {{ prefix }}z_value
{%- endmacro %}

{# What a comparison publishes, of the columns of change_columns. The interval needs no clipping: no
   counts lead it past 200 points. #}
{% macro tested_change(prefix='') -%}
    {%- set reach = normal_quantile_95() ~ ' * ' ~ prefix ~ 'nps_change_standard_error' -%}
    {{ prefix }}nps_change,
    {{ prefix }}nps_change_standard_error,
    {{ prefix }}adjusted_nps_change - {{ reach }} as {{ prefix }}nps_change_ci_low,
    {{ prefix }}adjusted_nps_change + {{ reach }} as {{ prefix }}nps_change_ci_high,
    {{ prefix }}z_value,
    {{ two_sided_p(prefix ~ 'z_value') }} as {{ prefix }}p_value
{%- endmacro %}

{# The names of those columns. #}
{% macro change_names(prefix='') -%}
    {%- do return([
        prefix ~ 'nps_change', prefix ~ 'nps_change_standard_error', prefix ~ 'nps_change_ci_low',
        prefix ~ 'nps_change_ci_high', prefix ~ 'z_value', prefix ~ 'p_value',
    ]) -%}
{%- endmacro %}

{# Whether two groups or periods may be compared with a verdict: both reportable, both over. #}
{% macro is_testable(after, before) -%}
    coalesce(
        {{ after }}.is_reportable
        and {{ after }}.is_complete
        and {{ before }}.is_reportable
        and {{ before }}.is_complete,
        false
    )
{%- endmacro %}

{# What a year shows of another one, of a relation of year_comparisons.

   other:   the relation, and the prefix of the other year's own figures.
   prefix:  of the change's columns.
   without: why there is no comparison where the other year has no answers. #}
{% macro compared_year(other, prefix, without) -%}
    {{ other }}.other_start as {{ other }}_start,
    {{ other }}.other_responses as {{ other }}_responses,
    {{ other }}.other_nps as {{ other }}_nps,
    {% for column in change_names() + ['adjusted_p_value', 'verdict'] -%}
        {{ other }}.{{ column }}{{ ' as ' ~ prefix ~ column if prefix }},
    {% endfor -%}
    {{ other }}.other_start is not null
    and {{ other }}.not_comparable_because is null as is_{{ prefix }}comparable,
    case
        when {{ other }}.other_start is null then '{{ without }}'
        else {{ other }}.not_comparable_because
    end as {{ prefix }}not_comparable_because
{%- endmacro %}
