{% set group = ['scope_type', 'scope_id', 'period_type', 'period_start'] %}
{% set margins = weighting_margins() %}

with

cells as (

    select * from {{ ref('weighting_cells') }}

),

{{ raking('cells', group, margins) }}

select
    {{ (group + margins) | join(',\n    ') }},
    responses,
    weight,
    margin_error_pct
from cells_raked
