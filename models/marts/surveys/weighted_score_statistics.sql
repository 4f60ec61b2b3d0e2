{% set group = ['scope_type', 'scope_id', 'period_type', 'period_start'] %}
{% set margins = weighting_margins() %}
{% set each = ['detractors', 'passives', 'promoters'] %}

with

cells as (

    select * from {{ ref('weighting_cells') }}

),

weights as (

    select * from {{ ref('answer_weights') }}

),

weighted as (

    select
        weights.*,
        cells.responses,
        cells.promoters,
        cells.passives,
        cells.detractors
    from weights
    inner join cells
        on {% for column in group + margins %}
            {{ "and " if not loop.first }}weights.{{ column }} = cells.{{ column }}
        {%- endfor %}

),

scores as (

    select
        {{ group | join(',\n        ') }},
        weighting,
        {{ weighted_nps('weight', *each) }} as nps_weighted
    from weighted
    group by {{ group | join(', ') }}, weighting

)

select
    {% for column in group -%}
        weighted.{{ column }},
    {% endfor -%}
    weighted.weighting,
    scores.nps_weighted,
    {{ weighted_nps_standard_error('weighted.weight', *each, score='scores.nps_weighted') }}
        as nps_weighted_standard_error,
    min(weighted.weight) as weight_min,
    max(weighted.weight) as weight_max,
    cast(sum(case when weighted.is_capped then weighted.responses else 0 end) as bigint)
        as capped_responses,
    {{ effective_sample_size('weighted.weight', 'weighted.responses') }} as effective_responses,
    max(weighted.margin_error_pct) as margin_error_pct
from weighted
inner join scores
    on {% for column in group + ['weighting'] %}
        {{ "and " if not loop.first }}weighted.{{ column }} = scores.{{ column }}
    {%- endfor %}
group by
    {% for column in group + ['weighting'] -%}
        weighted.{{ column }},
    {% endfor -%}
    scores.nps_weighted
