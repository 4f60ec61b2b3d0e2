{% set group = ['scope_type', 'scope_id', 'follow_up'] %}
{% set each = ['detractors', 'passives', 'promoters'] %}

with

weighted as (

    select * from {{ ref('recovery_weights') }}

),

scores as (

    select
        {{ group | join(',\n        ') }},
        {{ weighted_nps('weight', *each) }} as comparison_nps
    from weighted
    group by {{ group | join(', ') }}

)

select
    {% for column in group -%}
        weighted.{{ column }},
    {% endfor -%}
    cast(sum(weighted.responses) as bigint) as compared_customers,
    {{ effective_sample_size('weighted.weight', 'weighted.responses') }} as effective_customers,
    scores.comparison_nps,
    {{ weighted_nps_standard_error('weighted.weight', *each, score='scores.comparison_nps') }}
        as comparison_nps_standard_error
from weighted
inner join scores
    on {% for column in group %}
        {{ "and " if not loop.first }}weighted.{{ column }} = scores.{{ column }}
    {%- endfor %}
group by
    {% for column in group -%}
        weighted.{{ column }},
    {% endfor -%}
    scores.comparison_nps
