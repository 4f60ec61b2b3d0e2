with

counts as (

    select
        scope_type,
        scope_id,
        survey_type,
        period_type,
        period_start,
        period_end,
        is_complete,
        responses,
        promoters,
        passives,
        detractors,
        {{ previous_period_start('period_type', 'period_start') }} as previous_period_start,
        {{ previous_year_start('period_type', 'period_start') }} as previous_year_period_start
    from {{ ref('period_response_counts') }}
    where scope_type in ({{ trend_scopes() }})

),

{{ nps_block_of('counts') }}

select
    scope_type,
    scope_id,
    {{ period_columns() }},
    {{ nps_block() }},
    nps_adjusted,
    previous_period_start,
    previous_year_period_start
from with_block
