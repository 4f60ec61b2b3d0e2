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
   what takes their sum to its target. A category without answers can't be weighted up: the others
   of its margin share its contacts, in proportion to their own. Adds CTEs, of which the last,
   `<of>_raked`, has the cells with answers, their weight (1 on average) and margin_error_pct.

   of:      a CTE of cells with contacts and responses.
   group:   the columns that tell groups apart; each is raked on its own.
   margins: the columns raked to.
   passes:  how often; a number, so that no recursion is needed. #}
{% macro raking(of, group, margins, passes=25) -%}
    {%- set groups = group | join(', ') -%}
{{ of }}_categories as (

    select
        *,
        sum(responses) over (partition by {{ groups }}) as group_responses
        {%- for margin in margins %},
        sum(contacts) over (partition by {{ groups }}, {{ margin }}) as {{ margin }}_contacts,
        sum(responses) over (partition by {{ groups }}, {{ margin }}) as {{ margin }}_responses,
        dense_rank() over (order by {{ groups }}, {{ margin }}) as {{ margin }}_number
        {%- endfor %}
    from {{ of }}

),

{{ of }}_covered as (

    select
        *
        {%- for margin in margins %},
        sum(case when {{ margin }}_responses > 0 then contacts else 0 end)
            over (partition by {{ groups }}) as {{ margin }}_covered
        {%- endfor %}
    from {{ of }}_categories

),

{{ of }}_numbered as (

    select
        *,
        row_number() over (order by {{ groups }}, {{ margins | join(', ') }}) as cell_number
        {%- for margin in margins %},
        cast({{ margin }}_contacts as {{ double_type() }})
        * group_responses / {{ margin }}_covered as {{ margin }}_target
        {%- endfor %}
    from {{ of }}_covered
    where responses > 0

),

{{ raking_passes(of, margins, passes) }}

{{ of }}_deviations as (

    select
        *
        {%- for margin in margins %},
        abs({{ sum_of_doubles(
            'responses * weight', over='partition by ' ~ margin ~ '_number'
        ) }} - {{ margin }}_target)
            as {{ margin }}_deviation
        {%- endfor %}
    from {{ of }}_pass_{{ passes }}_{{ margins | last }}

),

{{ of }}_raked as (

    select
        {{ of }}_numbered.*,
        {{ of }}_deviations.weight,
        100 * greatest({{ of }}_deviations.{{ margins | join('_deviation, ' ~ of ~ '_deviations.') }}_deviation)
        / {{ of }}_numbered.group_responses as margin_error_pct
    from {{ of }}_numbered
    inner join {{ of }}_deviations
        on {{ of }}_numbered.cell_number = {{ of }}_deviations.cell_number

)
{%- endmacro %}

{# The steps of raking, one CTE each, all of them followed by a comma. They carry numbers alone: a
   step is a sum by category that is joined to the cells. #}
{% macro raking_passes(of, margins, passes) -%}
    {%- set kept = ['cell_number', 'responses'] -%}
    {%- for margin in margins -%}
        {%- do kept.extend([margin ~ '_number', margin ~ '_target']) -%}
    {%- endfor -%}
{{ of }}_pass_0 as {{ materialized() }} (

    select
        {{ kept | join(', ') }},
        {{ double_literal(1) }} as weight
    from {{ of }}_numbered

),
    {%- set step = namespace(last=of ~ '_pass_0') -%}
    {%- for pass in range(1, passes + 1) -%}
        {%- for margin in margins %}
{{ of }}_pass_{{ pass }}_{{ margin }} as {{ materialized() }} (

    select
        cells.{{ kept | join(', cells.') }},
        cells.weight * cells.{{ margin }}_target / nullif(categories.weight, 0) as weight
    from {{ step.last }} as cells
    inner join (
        select {{ margin }}_number, {{ sum_of_doubles('responses * weight') }} as weight
        from {{ step.last }}
        group by {{ margin }}_number
    ) as categories
        on cells.{{ margin }}_number = categories.{{ margin }}_number

),
            {% set step.last = of ~ '_pass_' ~ pass ~ '_' ~ margin -%}
        {%- endfor -%}
    {%- endfor -%}
{%- endmacro %}

{# A weight cut to the var nps_weight_cap, and whether it is. #}
{% macro capped(weight) -%}
    {%- if var('nps_weight_cap') is none -%}
        {{ weight }}
    {%- else -%}
        least({{ weight }}, {{ var('nps_weight_cap') }})
    {%- endif -%}
{%- endmacro %}

{% macro exceeds_cap(weight) -%}
    {{ 'false' if var('nps_weight_cap') is none else weight ~ ' > ' ~ var('nps_weight_cap') }}
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
    power({{ sum_of_doubles(weight ~ ' * (' ~ responses ~ ')') }}, 2)
    / nullif({{ sum_of_doubles('power(' ~ weight ~ ', 2) * (' ~ responses ~ ')') }}, 0)
{%- endmacro %}
