{# Figures of drivers, from counts and whole sums. An answer counts as -1, 0 or 1; effects are shown
   in points. Variances have the three answers more of the adjusted Wald interval (a quarter, a half,
   a quarter: 1.5 squares and 3 degrees), so that a group in which everyone agrees is not certain. #}

{# Sum of squared deviations of a group's answers from their mean. #}
{% macro answer_deviations(detractors, passives, promoters) -%}
    (
        cast({{ promoters }} + {{ detractors }} as {{ double_type() }})
        - power({{ promoters }} - {{ detractors }}, 2)
        / nullif({{ detractors }} + {{ passives }} + {{ promoters }}, 0)
    )
{%- endmacro %}

{# Variance of one answer around the mean of its group, of deviations added up over groups. #}
{% macro variance_within(deviations, degrees) -%}
    (({{ deviations }} + 1.5) / ({{ degrees }} + 3))
{%- endmacro %}

{# Weight of a stratum in a difference between two groups (Cochran 1954, Biometrics 10:417): it hangs
   on their sizes alone, and is the one under which the pooled difference is the coefficient of a
   regression with a constant for each stratum. #}
{% macro stratum_weight(first_size, second_size) -%}
    (cast({{ first_size }} * {{ second_size }} as {{ double_type() }})
        / nullif({{ first_size }} + {{ second_size }}, 0))
{%- endmacro %}

{# Sum of the products of two columns' deviations from their means, of sums: Sxy - Sx Sy / n. #}
{% macro centred_products(products, first_sum, second_sum, n) -%}
    (
        cast({{ products }} as {{ double_type() }})
        - cast({{ first_sum }} as {{ double_type() }}) * {{ second_sum }} / nullif({{ n }}, 0)
    )
{%- endmacro %}

{# Slope of answers over something, in points a step, of centred products; null without steps. #}
{% macro slope_of(xx, xy) -%}
    case when {{ xx }} > 0 then 100 * {{ xy }} / {{ xx }} end
{%- endmacro %}

{# Its standard error; degrees: answers less groups less one. #}
{% macro slope_standard_error(xx, xy, yy, degrees) -%}
    case
        when {{ xx }} > 0 and {{ degrees }} > 0
            then
                100 * sqrt(
                    {{ variance_within(
                        'greatest(0, ' ~ yy ~ ' - ' ~ xy ~ ' * ' ~ xy ~ ' / ' ~ xx ~ ')', degrees
                    ) }} / {{ xx }}
                )
    end
{%- endmacro %}
