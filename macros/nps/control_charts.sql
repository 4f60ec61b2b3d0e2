{# Control charts of unequal groups. Scores here are shares of 1 (-1 … 1), as the variance of one
   answer (nps_variance) is; `center` and `variance` are of a baseline. #}

{# How far a mean of n answers lies from the centre, in its own standard deviations. #}
{% macro standardized(mean, center, variance, n) -%}
    (({{ mean }}) - ({{ center }}))
    / nullif(sqrt(({{ variance }}) / cast({{ n }} as {{ double_type() }})), 0)
{%- endmacro %}

{# Shewhart's limit of a mean of n answers: three standard deviations to the side of `sign`, within
   the scale. #}
{% macro shewhart_limit(center, variance, n, sign) -%}
    {{ 'least(1.0, ' if sign == '+' else 'greatest(-1.0, ' -}}
    ({{ center }}) {{ sign }} 3 * sqrt(({{ variance }}) / cast({{ n }} as {{ double_type() }})))
{%- endmacro %}

{# Factor by which the limits of a p-chart widen: Laney's sigma_z where the groups scatter more than
   a fifth too widely, else none. #}
{% macro p_prime_factor(sigma_z) -%}
    case when {{ sigma_z }} > {{ double_literal(1.2) }} then {{ sigma_z }} else 1 end
{%- endmacro %}

{# Limit of a share of n answers (p-chart; p' where the factor is Laney's), within 0 and 1. None
   where the share is 0 or 1, which says nothing of how widely shares scatter. #}
{% macro p_prime_limit(share, n, factor, sign) -%}
    {%- set reach -%}
        3 * ({{ factor }}) * sqrt(
            ({{ share }}) * (1 - ({{ share }})) / cast({{ n }} as {{ double_type() }})
        )
    {%- endset -%}
    case
        when ({{ share }}) > 0 and ({{ share }}) < 1
            then {{ 'least(1.0, ' if sign == '+' else 'greatest(0.0, ' -}}
                ({{ share }}) {{ sign }} {{ reach }})
    end
{%- endmacro %}

{# Laney's sigma_z (2002): the mean moving range of standardized shares over 1.128. Adds the CTEs
   `<of>_ranged` and `<of>_dispersed`; the last has a row per set, with sigma_z; null below two
   rows.

   of:     a CTE with standardized_share, a row per group of a set.
   within: the columns that make a set.
   order:  the columns that put its rows in order. #}
{% macro dispersion(of, within, order) -%}
    {%- set sets = within | join(', ') -%}
{{ of }}_ranged as (

    select
        *,
        abs(standardized_share - lag(standardized_share) over (
            partition by {{ sets }}
            order by {{ order | join(', ') }}
        )) as moving_range
    from {{ of }}

),

{{ of }}_dispersed as (

    select
        {{ sets }},
        {{ sum_of_doubles('moving_range') }} / nullif(count(moving_range), 0)
        / {{ double_literal(1.128) }} as sigma_z
    from {{ of }}_ranged
    group by {{ sets }}

)
{%- endmacro %}

{# EWMA z_t = w x_t + (1 - w) z_(t-1), z_0 = 0, and CUSUM C_t = max(0, C_(t-1) ± x_t - k) of points
   with mean 0 and standard deviation 1, without recursion. Adds the CTEs `<of>_placed`,
   `<of>_summed` and `<of>_charted`; the last has the columns of `of`, place (1, 2, …), ewma,
   cusum_up and cusum_down.

   The EWMA is a sum of the last points, weighted by (1 - w)^-place so that a running sum can make
   it. The places start anew in each block, lest the weights overflow; the points that count lie in
   the row's block and the one before, of which one is odd. C_t is the distance of the running sum
   of x - k from its least value so far, or from 0.

   of:     a CTE with x, a row per point.
   within: the columns that make a chart.
   order:  the columns that put its points in order.
   weight: w of the newest point, between 0 and 1.
   slack:  k. #}
{% macro ewma_and_cusum(of, within, order, weight, slack) -%}
    {#- What is no weight is refused before the first model runs; parsing has to get that far. -#}
    {%- set weight = weight | float(0.5) -%}
    {%- set block = ewma_block(weight) -%}
    {%- set kept = double_literal(1 - weight) -%}
    {%- set chart = 'partition by ' ~ (within | join(', ')) ~ ' order by ' -%}
    {%- set so_far = chart ~ 'place rows between unbounded preceding and current row' -%}
    {%- set lately = chart ~ 'place rows between ' ~ (block - 1) ~ ' preceding and current row' -%}
{{ of }}_placed as (

    select
        *,
        row_number() over ({{ chart }}{{ order | join(', ') }}) as place
    from {{ of }}

),

{{ of }}_blocked as (

    select
        *,
        mod(place - 1, {{ 2 * block }}) >= {{ block }} as is_odd,
        mod(place - 1, {{ block }}) as place_in_block,
        x * power({{ kept }}, -mod(place - 1, {{ block }})) as weighted
    from {{ of }}_placed

),

{{ of }}_summed as (

    select
        *,
        {{ sum_of_doubles('case when is_odd then weighted else 0 end', over=lately) }} as odd,
        {{ sum_of_doubles('case when is_odd then 0 else weighted end', over=lately) }} as even,
        {{ sum_of_doubles('x - ' ~ double_literal(slack), over=so_far) }} as risen,
        {{ sum_of_doubles('-x - ' ~ double_literal(slack), over=so_far) }} as fallen
    from {{ of }}_blocked

),

{{ of }}_charted as (

    select
        *,
        {{ double_literal(weight) }} * power({{ kept }}, place_in_block) * (
            case when is_odd then odd else even end
            + power({{ kept }}, {{ block }}) * case when is_odd then even else odd end
        ) as ewma,
        risen - least(0, min(risen) over ({{ so_far }})) as cusum_up,
        fallen - least(0, min(fallen) over ({{ so_far }})) as cusum_down
    from {{ of }}_summed

)
{%- endmacro %}

{# How many of the last points an EWMA is made of: 200, or fewer where those before weigh less than
   double precision can tell (1e-16). It bounds the sums, too: 1e16 times a point. #}
{% macro ewma_block(weight) -%}
    {%- set found = namespace(block=1) -%}
    {%- for points in range(1, 201) if (1 - weight) ** points >= 1e-16 -%}
        {%- set found.block = points -%}
    {%- endfor -%}
    {%- do return(found.block) -%}
{%- endmacro %}

{# Distance of the EWMA's limits from 0 at a place: L sqrt(w / (2 - w) (1 - (1 - w)^(2 place))). #}
{% macro ewma_limit(place, weight, width) -%}
    {%- set weight = weight | float(0.5) -%}
    {{ double_literal(width) }} * sqrt(
        {{ double_literal(weight / (2 - weight)) }}
        * (1 - power({{ double_literal(1 - weight) }}, 2 * {{ place }}))
    )
{%- endmacro %}

{# Where a day's chart signals: `up` or `down` as the score moved, null within its limits. Each chart
   stands in the order in which it names a day that several charts signal. #}
{% macro chart_signals() -%}
    {%- do return({
        'shewhart': ['nps > shewhart_high', 'nps < shewhart_low'],
        'p_prime': ['detractor_pct < p_prime_low', 'detractor_pct > p_prime_high'],
        'ewma': ['ewma > ewma_limit', 'ewma < -ewma_limit'],
        'cusum': [
            'cusum_up > cusum_limit and (cusum_down <= cusum_limit or ewma > 0)',
            'cusum_down > cusum_limit',
        ],
    }) -%}
{%- endmacro %}
