{# Goals: how far a group is from its target, and what it would take to reach it. #}

{# What a score lacks of the target, times answers, times 10,000, as a whole number: targets have
   four decimals, so nothing is rounded (n = 6, P - D = -4, T = 100: 10,000,000). 0 where it lacks
   nothing. #}
{% macro points_short(detractors, passives, promoters, target) -%}
    greatest(
        0,
        ({{ detractors }} + {{ passives }} + {{ promoters }})
        * cast(cast({{ target }} as decimal(18, 4)) * 10000 as bigint)
        - 1000000 * ({{ promoters }} - {{ detractors }})
    )
{%- endmacro %}

{# A whole number over another, rounded up: the dividend is made a multiple first, so that the
   division is exact on engines that divide whole numbers as doubles. #}
{% macro divided_up(dividend, divisor) -%}
    cast(
        (
            {{ dividend }} + {{ divisor - 1 }}
            - mod({{ dividend }} + {{ divisor - 1 }}, {{ divisor }})
        ) / {{ divisor }} as bigint
    )
{%- endmacro %}

{# Detractors who would have to be promoters: max(0, ceil((nT - 100(P - D)) / 200)), as one of them
   moves the score by two answers. Null where there are not so many. #}
{% macro detractors_to_turn(detractors, passives, promoters, target) -%}
    {%- set needed = divided_up(
        points_short(detractors, passives, promoters, target), 2000000
    ) -%}
    case when {{ needed }} <= {{ detractors }} then {{ needed }} end
{%- endmacro %}

{# Answers that would have to be one category better (detractor to passive, passive to promoter):
   each moves the score by one answer. Null where all of them together are not enough. #}
{% macro one_step_moves(detractors, passives, promoters, target) -%}
    {%- set needed = divided_up(
        points_short(detractors, passives, promoters, target), 1000000
    ) -%}
    case when {{ needed }} <= 2 * {{ detractors }} + {{ passives }} then {{ needed }} end
{%- endmacro %}

{# `met` where the whole interval reaches the target, `missed` where none of it does, else
   `undecided`, as is all that may not be decided. `lower_is_better` is an SQL condition. #}
{% macro target_status(ci_low, ci_high, target, is_decidable, lower_is_better='false') -%}
    case
        when not coalesce({{ is_decidable }}, false) then 'undecided'
        when not {{ lower_is_better }} and {{ ci_low }} >= {{ target }} then 'met'
        when not {{ lower_is_better }} and {{ ci_high }} < {{ target }} then 'missed'
        when {{ lower_is_better }} and {{ ci_high }} <= {{ target }} then 'met'
        when {{ lower_is_better }} and {{ ci_low }} > {{ target }} then 'missed'
        else 'undecided'
    end
{%- endmacro %}

{# Whether less of a metric is better. #}
{% macro lower_is_better(metric) -%}
    {{ metric }} = 'handle_seconds'
{%- endmacro %}

{# What is lacking of the target, in units of the metric: negative where it is more than reached. #}
{% macro target_gap(value, target, lower_is_better) -%}
    case
        when {{ lower_is_better }} then {{ value }} - {{ target }}
        else {{ target }} - {{ value }}
    end
{%- endmacro %}

{# Months (of 365.25 / 12 days) from a date to the due date; null without one and from it on. #}
{% macro months_left(today, due_on) -%}
    case
        when {{ due_on }} > {{ today }}
            then {{ dbt.datediff(today, due_on, 'day') }} / {{ double_literal(30.4375) }}
    end
{%- endmacro %}

{# What a month has to bring so that the gap is closed in time: nothing where there is none. #}
{% macro needed_per_month(gap, months_left) -%}
    case
        when {{ gap }} <= 0 then {{ double_literal(0) }}
        else {{ gap }} / {{ months_left }}
    end
{%- endmacro %}

{# Answers that give an interval of +- margin points: z^2 s^2 / m^2 - 3, the three being those that
   the adjusted interval adds. The variance is that of one answer on -1/0/+1 (nps_variance). #}
{% macro responses_needed(variance, margin, z=none) -%}
    cast(
        greatest(
            1,
            ceil(
                power({{ z or normal_quantile_95() }}, 2) * ({{ variance }})
                / power({{ margin }} / {{ double_literal(100) }}, 2) - 3
            )
        ) as bigint
    )
{%- endmacro %}

{# Where a score stands among a benchmark's percentiles, of two ends of it: the same place for both,
   or nowhere certain. A percentile belongs to the part above it. #}
{% macro benchmark_position(score) -%}
    case
        when {{ score }} < p10 then 'below_p10'
        when {{ score }} < p50 then 'p10_to_p50'
        when {{ score }} < p90 then 'p50_to_p90'
        when {{ score }} >= p90 then 'above_p90'
    end
{%- endmacro %}
