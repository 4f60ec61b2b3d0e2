{% set group = ['scope_type', 'scope_id', 'period_type', 'period_start'] %}
{% set margins = weighting_margins() %}

with

cells as (

    select * from {{ ref('weighting_cells') }}

),

cell_weights as (

    select * from {{ ref('cell_weights') }}

),

raked_weights as (

    select * from {{ ref('raked_weights') }}

),

weights as (

    select
        'cells' as weighting,
        {% for column in group + margins -%}
            cells.{{ column }},
        {% endfor -%}
        cell_weights.weight,
        cast(null as {{ double_type() }}) as margin_error_pct
    from cells
    inner join cell_weights
        on {% for column in group + ['channel', 'contact_reason'] %}
            {{ "and " if not loop.first }}cells.{{ column }} = cell_weights.{{ column }}
        {%- endfor %}
    where cells.responses > 0
    union all
    select
        'raking' as weighting,
        {% for column in group + margins -%}
            {{ column }},
        {% endfor -%}
        weight,
        margin_error_pct
    from raked_weights

)

select
    weighting,
    {{ (group + margins) | join(',\n    ') }},
    {{ capped('weight') }} as weight,
    {{ exceeds_cap('weight') }} as is_capped,
    margin_error_pct
from weights
