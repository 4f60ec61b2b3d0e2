{# How long until something happens, where for some it has not happened yet: Kaplan and Meier (1958,
   JASA 53:457). Who is still waiting is censored: known to have waited so long, no more. #}

{# Adds CTEs of which the last, `<of>_survival`, has one row per group and duration that occurs:

   duration   in the unit of the rows' own,
   events     how many had the event after exactly so long, censored how many were last seen then,
   at_risk    how many had waited so long without the event; who is censored at a duration is among
              those at risk at it,
   survival   the estimated share of 1 that waits longer; it holds until the next duration,
   greenwood  the sum of Greenwood (1926), variance of survival over its square; null where none
              is left.

   A survival at a time of one's own is that of the last duration up to it, 1 before the first:
   `coalesce(min(case when duration <= t then survival end), 1)`, grouped.

   of:       a CTE with a row a case.
   duration: its column or SQL, a double no less than 0; a row where it is null does not count.
   is_event: SQL that says whether the event ended the wait; false: censored.
   within:   the columns that make a group. #}
{% macro kaplan_meier(of, duration, is_event, within) -%}
    {%- set groups = within | join(', ') -%}
    {%- set up_to_now = 'partition by ' ~ groups
        ~ ' order by duration rows between unbounded preceding and current row' -%}
{{ of }}_timed as (

    select
        {{ groups }},
        {{ duration }} as duration,
        case when {{ is_event }} then 1 else 0 end as event
    from {{ of }}
    where {{ duration }} is not null

),

{{ of }}_leaving as (

    select
        {{ groups }},
        duration,
        cast(sum(event) as bigint) as events,
        cast(sum(1 - event) as bigint) as censored
    from {{ of }}_timed
    group by {{ groups }}, duration

),

{{ of }}_at_risk as (

    select
        *,
        cast(sum(events + censored) over (
            partition by {{ groups }}
            order by duration desc nulls last
            rows between unbounded preceding and current row
        ) as bigint) as at_risk
    from {{ of }}_leaving

),

-- A product is the exponential of a sum; the last at risk, where they go, end it at 0.
{{ of }}_survival as (

    select
        *,
        case
            when events = at_risk then 0.0
            else exp({{ sum_of_doubles(
                'case when events < at_risk then ln(1 - cast(events as ' ~ double_type()
                ~ ') / at_risk) else 0 end', over=up_to_now
            ) }})
        end as survival,
        case
            when events < at_risk
                -- In billionths, so that the fixed places of the sum are enough.
                then {{ sum_of_doubles(
                    'case when events < at_risk then ' ~ double_literal(1000000000)
                    ~ ' * events / at_risk / (at_risk - events) else 0 end', over=up_to_now
                ) }} / 1000000000
        end as greenwood
    from {{ of }}_at_risk

)
{%- endmacro %}

{# One limit of the 95 % interval of a survival, `low` or `high`, a share of 1: symmetric in
   log(-log), so it stays between 0 and 1 (Kalbfleisch and Prentice 1980). Null where survival is 1
   or 0. #}
{% macro survival_limit(survival, greenwood, limit) -%}
    case
        when {{ survival }} > 0 and {{ survival }} < 1
            then power({{ survival }}, exp(
                {{ '-' if limit == 'low' }}{{ normal_quantile_95() }}
                * sqrt({{ greenwood }}) / ln({{ survival }})
            ))
    end
{%- endmacro %}

{# The shortest duration that no more than 100 - percent in a hundred outlast: an aggregate over the
   rows of kaplan_meier. Null where so many have not had the event yet. A share that is exactly at
   the limit counts, so without censoring it is the percentile by nearest rank.

   percent:  a number between 0 and 100.
   survival: the column, or a limit of it: of the percentile's own interval. #}
{% macro survival_percentile(percent, survival='survival') -%}
    min(case when {{ survival }} <= {{ (100 - percent) / 100 }} + 0.000000001 then duration end)
{%- endmacro %}
