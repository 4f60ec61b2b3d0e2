{# Means and shares with their uncertainty, from additive counts and sums. Nothing is rounded; no
   answers give null. #}

{# Of the answers on a scale (answer_scales): how many, their sum, the sum of their squares. #}
{% macro scale_sum(name, power) -%}
    {%- set scale = answer_scales()[name] -%}
    (
    {%- for value in range(scale.at_least, scale.at_most + 1) if power == 0 or value > 0 -%}
        {{ " + " if not loop.first }}{{ value ** power ~ " * " if value ** power != 1 }}
        {{- name }}_{{ value }}
    {%- endfor -%}
    )
{%- endmacro %}

{# Mean of n values of the given total. #}
{% macro mean_of(total, n) -%}
    cast({{ total }} as {{ double_type() }}) / nullif({{ n }}, 0)
{%- endmacro %}

{# Variance of one value, of the sums of n values and of their squares: of these values, or of what
   they are a sample of (n - 1). Never below 0, which equal values can miss by a rounding. #}
{% macro variance_of(squares, total, n, degrees_lost=0) -%}
    {%- set lost = ' - ' ~ degrees_lost if degrees_lost else '' -%}
    case
        when {{ n }} > {{ degrees_lost }}
            then
                greatest(
                    0,
                    cast({{ squares }} as {{ double_type() }})
                    - power({{ mean_of(total, n) }}, 2) * {{ n }}
                ) / nullif({{ n }}{{ lost }}, 0)
    end
{%- endmacro %}

{# Standard error of their mean: sqrt(sample variance / n); null for a single value. #}
{% macro mean_standard_error(squares, total, n) -%}
    sqrt({{ variance_of(squares, total, n, degrees_lost=1) }} / nullif({{ n }}, 0))
{%- endmacro %}

{# Lower (side -1) or upper (side 1) end of the 95 % interval of a mean, no further than its scale;
   null without a standard error. #}
{% macro mean_limit(mean, standard_error, side, end_of_scale) -%}
    case
        when {{ standard_error }} is not null
            then {{ 'least' if side > 0 else 'greatest' }}(
                {{ end_of_scale }},
                {{ mean }} {{ '+' if side > 0 else '-' }} {{ normal_quantile_95() }}
                * {{ standard_error }}
            )
    end
{%- endmacro %}
