{% set answers_of = counts_of_scale('score') %}

with

counts as (

    select * from {{ ref('period_score_counts') }}

),

summed as (

    select
        *,
        {{ scale_sum('score', 1) }} as score_total,
        {{ scale_sum('score', 2) }} as score_squares
    from counts

),

described as (

    select
        *,
        {{ mean_of('score_total', 'responses') }} as mean_score,
        {{ variance_of('score_squares', 'score_total', 'responses') }} as score_variance
    from summed

)

select
    {{ period_columns() }},
    scope_type,
    scope_id,
    responses,
    {% for count in answers_of -%}
        {{ count }},
    {% endfor -%}
    mean_score,
    sqrt(score_variance) as score_standard_deviation,
    -- The greatest variance a scale allows is that of two halves at its ends: (10 - 0)^2 / 4.
    score_variance / {{ double_literal(25) }} as polarisation,
    {{ share_pct('score_0', 'responses') }} as zero_pct,
    {{ share_pct('score_10', 'responses') }} as ten_pct,
    responses >= {{ var('nps_min_responses') }} as is_reportable
from described
