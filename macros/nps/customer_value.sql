{# What a customer is worth: outcomes of the twelve months after an answer, means of groups. #}

{# Currency units that so many seconds of handling cost (var nps_cost_per_hour). #}
{% macro handling_cost(seconds) -%}
    {{ seconds }} * {{ double_literal(var('nps_cost_per_hour')) }} / 3600
{%- endmacro %}

{# What is added up of a double that is null where it is not known. Squares are of thousands, so that
   those of any currency fit the decimals they are added up in. #}
{% macro value_sums(name, value) -%}
    {{ sum_of_doubles(value) }} as {{ name }}_total,
    {{ sum_of_doubles('power((' ~ value ~ ') / 1000, 2)') }} as {{ name }}_squares,
    min({{ value }}) as {{ name }}_least,
    max({{ value }}) as {{ name }}_greatest
{%- endmacro %}

{# The same added up from smaller groups. #}
{% macro summed_values(name) -%}
    {{ sum_of_doubles(name ~ '_total') }} as {{ name }}_total,
    {{ sum_of_doubles(name ~ '_squares') }} as {{ name }}_squares,
    min({{ name }}_least) as {{ name }}_least,
    max({{ name }}_greatest) as {{ name }}_greatest
{%- endmacro %}

{# Mean of n values by these sums, and its standard error; exactly 0 where no two values differ. #}
{% macro value_mean(name, n) -%}
    {{ mean_of(name ~ '_total', n) }}
{%- endmacro %}

{% macro value_standard_error(name, n) -%}
    case
        when {{ name }}_least < {{ name }}_greatest
            then 1000 * {{ mean_standard_error(name ~ '_squares', name ~ '_total / 1000', n) }}
        when {{ n }} > 1 then 0.0
    end
{%- endmacro %}

{# What a mart shows of a value: its mean and the ends of its 95 % interval. Both ends are empty
   where fewer than two values, or none that differ, say nothing of the next. #}
{% macro mean_with_interval(name) -%}
    {%- set reach = normal_quantile_95() ~ ' * nullif(' ~ name ~ '_standard_error, 0)' -%}
    {{ name }}_mean,
    {{ name }}_mean - {{ reach }} as {{ name }}_ci_low,
    {{ name }}_mean + {{ reach }} as {{ name }}_ci_high
{%- endmacro %}

{# Whether an answer is the one that puts its customer into a cohort: the first of the period. #}
{% macro enters_cohort() -%}
    (previous_response_date is null or previous_response_date < period_start)
{%- endmacro %}

{# The difference of a cohort's two differences, an aggregate over its two moves: null where one is.

   difference, standard_error: of keeping promoters, and of winning back detractors; independent. #}
{% macro keeping_less_winning(difference, standard_error) -%}
    case
        when count({{ difference }}) = 2
            then {{ sum_of_doubles(
                "case value_move when 'keep_promoter' then 1 else -1 end * " ~ difference
            ) }}
    end as {{ difference }},
    case
        when count({{ standard_error }}) = 2
            then 1000 * sqrt({{ sum_of_doubles('power(' ~ standard_error ~ ' / 1000, 2)') }})
    end as {{ standard_error }}
{%- endmacro %}
