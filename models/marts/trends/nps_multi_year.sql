{% set others = ['year_before', 'first_year'] %}

with

years as (

    select * from {{ ref('trend_scores') }}
    where period_type = 'year'

),

comparisons as (

    select * from {{ ref('year_comparisons') }}

)

select
    years.scope_type,
    years.scope_id,
    {{ period_columns('years') }},
    {{ prefixed(nps_block_names(), 'years') }},
    {{ compared_year('year_before', '', 'no answers in the year before') }},
    {{ compared_year('first_year', 'first_year_', 'no answers in an earlier year') }}
from years
{% for other in others -%}
    left join comparisons as {{ other }}
        on
            {{ same(scope_key() + ['period_start'], 'years', other) }}
            and {{ other }}.compared_with = '{{ other }}'
{% endfor %}
