{# The score and its uncertainty, from counts. Counts are SQL expressions; everything is in points
   (-100 … 100) unless it says otherwise. Nothing is rounded, and no answers give null, not 0. #}

{# Net Promoter Score: % promoters - % detractors, one division. #}
{% macro nps(detractors, passives, promoters) -%}
    cast(100 * (({{ promoters }}) - ({{ detractors }})) as {{ double_type() }})
    / nullif(({{ detractors }}) + ({{ passives }}) + ({{ promoters }}), 0)
{%- endmacro %}

{# Share of all answers in percent. #}
{% macro share_pct(part, whole) -%}
    cast(100 * {{ part }} as {{ double_type() }}) / nullif({{ whole }}, 0)
{%- endmacro %}

{# Variance of one answer on -1/0/+1: p + d - (p - d)^2. The covariance of p and d is in it. #}
{% macro nps_variance(detractors, passives, promoters) -%}
    {%- set n = 'nullif(cast(' ~ detractors ~ ' + ' ~ passives ~ ' + ' ~ promoters
        ~ ' as ' ~ double_type() ~ '), 0)' -%}
    (({{ promoters }} + {{ detractors }}) / {{ n }}
        - power(({{ promoters }} - {{ detractors }}) / {{ n }}, 2))
{%- endmacro %}

{# Standard error of the observed score: sqrt(variance / n). Not the published one. #}
{% macro nps_plain_standard_error(detractors, passives, promoters) -%}
    100 * sqrt(
        {{ nps_variance(detractors, passives, promoters) }}
        / nullif({{ detractors }} + {{ passives }} + {{ promoters }}, 0)
    )
{%- endmacro %}

{# The counts of the adjusted Wald interval: three answers more, a quarter of them detractors, a
   half passives, a quarter promoters (Rocks 2016, The American Statistician). #}
{% macro adjusted_counts(detractors, passives, promoters) -%}
    {%- do return([
        '(' ~ detractors ~ ' + 0.75)', '(' ~ passives ~ ' + 1.5)', '(' ~ promoters ~ ' + 0.75)'
    ]) -%}
{%- endmacro %}

{# Middle of the adjusted Wald interval; the published score stays the raw one. #}
{% macro nps_adjusted(detractors, passives, promoters) -%}
    {%- set counts = adjusted_counts(detractors, passives, promoters) -%}
    {{ nps(counts[0], counts[1], counts[2]) }}
{%- endmacro %}

{# Standard error of the adjusted Wald interval: the published one. #}
{% macro nps_standard_error(detractors, passives, promoters) -%}
    {%- set counts = adjusted_counts(detractors, passives, promoters) -%}
    {{ nps_plain_standard_error(counts[0], counts[1], counts[2]) }}
{%- endmacro %}

{# Quantile of the standard normal distribution of a two-sided 95 % interval. #}
{% macro normal_quantile_95() -%}
    1.959963984540054
{%- endmacro %}
