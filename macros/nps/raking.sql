{# Answers weighted to all contacts: weights of cells, raking to margins, weighted scores. Weights
   are of counted cells, never of rows: what answers of one cell have in common is their weight. #}

{# What is known of every contact, answered or not, and what answers are raked to. #}
{% macro weighting_margins() %}
    {% do return(['channel', 'contact_reason', 'resolution', 'transfer_count']) %}
{% endmacro %}

{# How many of all (or what share of all, where both are shares) each observed one stands for. #}
{% macro cell_weight(target, observed) -%}
    cast({{ target }} as {{ double_type() }}) / nullif({{ observed }}, 0)
{%- endmacro %}

{# Raking (iterative proportional fitting; Deming and Stephan 1940, Annals of Mathematical
   Statistics 11:427): pass by pass and margin by margin the weights of a category are multiplied by
   what takes their sum to its target. Adds one CTE a step, of which the last, `<of>_raked`, has
   `weight`.

   of:      a CTE of cells with responses, of which there are some in each, group_responses, and per
            margin a `<margin>_number` of the category and its `<margin>_target`.
   keys:    further columns to keep.
   margins: names of the margins.
   passes:  how often; twenty-five, so that no recursion is needed. #}
{% macro raking_passes(of, keys, margins, passes=25) -%}
    {%- set kept = keys + ['responses', 'group_responses'] -%}
    {%- for margin in margins -%}
        {%- do kept.extend([margin ~ '_number', margin ~ '_target']) -%}
    {%- endfor -%}
{{ of }}_pass_0 as {{ materialized() }} (

    select
        *,
        {{ double_literal(1) }} as weight
    from {{ of }}

),
    {%- set step = namespace(last=of ~ '_pass_0') -%}
    {%- for pass in range(1, passes + 1) -%}
        {%- set is_last_pass = loop.last -%}
        {%- for margin in margins -%}
            {%- set is_last = is_last_pass and loop.last -%}
            {%- set this = of ~ ('_raked' if is_last else '_pass_' ~ pass ~ '_' ~ margin) %}

{{ this }} as {{ materialized() }} (

    select
        {{ kept | join(', ') }},
        weight * {{ margin }}_target / nullif({{ sum_of_doubles(
            'responses * weight', over='partition by ' ~ margin ~ '_number'
        ) }}, 0) as weight
    from {{ step.last }}

){{ "," if not is_last }}
            {%- set step.last = this -%}
        {%- endfor -%}
    {%- endfor -%}
{%- endmacro %}

{# How far a margin may be from its target, in points of percent, for raking to have converged: half
   a point of share moves a score by a point at most. #}
{% macro raking_tolerance_pct() -%}
    0.5
{%- endmacro %}

{# Weighted Net Promoter Score, an aggregate of cells: 100 times the sum of w x over the sum of w,
   x being 1, 0 or -1. Three sums, so that it never leaves -100 … 100 by a rounding. #}
{% macro weighted_nps(weight, detractors, passives, promoters) -%}
    {%- set sums = [] -%}
    {%- for count in [promoters, detractors, passives] -%}
        {%- do sums.append(sum_of_doubles(weight ~ ' * ' ~ count)) -%}
    {%- endfor -%}
    100 * (({{ sums[0] }} - {{ sums[1] }}) / nullif({{ sums | join(' + ') }}, 0))
{%- endmacro %}

{# Its linearised standard error, an aggregate of cells that know the score: the square root of the
   sum of w^2 (x - score)^2, over the sum of w. Weights are taken as given. #}
{% macro weighted_nps_standard_error(weight, detractors, passives, promoters, score) -%}
    {%- set squares = [] -%}
    {%- for count, x in [(detractors, -100), (passives, 0), (promoters, 100)] -%}
        {%- do squares.append(count ~ ' * power(' ~ x ~ ' - ' ~ score ~ ', 2)') -%}
    {%- endfor -%}
    {%- set total = detractors ~ ' + ' ~ passives ~ ' + ' ~ promoters -%}
    sqrt({{ sum_of_doubles('power(' ~ weight ~ ', 2) * (' ~ squares | join(' + ') ~ ')') }})
    / nullif({{ sum_of_doubles(weight ~ ' * (' ~ total ~ ')') }}, 0)
{%- endmacro %}

{# Kish's effective sample size, an aggregate of cells: (sum of w)^2 over the sum of w^2 (Kish 1965,
   Survey Sampling). #}
{% macro effective_sample_size(weight, responses) -%}
    power({{ sum_of_doubles(weight ~ ' * ' ~ responses) }}, 2)
    / nullif({{ sum_of_doubles('power(' ~ weight ~ ', 2) * ' ~ responses) }}, 0)
{%- endmacro %}
