-- Weeks back that are pooled, those that have answers.
{% set windows = {
    'week_before': [1], 'four_weeks_before': [1, 2, 3, 4], 'last_four_weeks': [0, 1, 2, 3],
} %}

with

weeks as (

    select * from {{ ref('team_scores') }}
    where
        period_type = 'week'
        and survey_type = 'all'

),

-- Each week once for every week into whose windows it falls.
shifted as (

    {% for pooled, offsets in windows.items() -%}
        {%- set last_window = loop.last -%}
        {%- for offset in offsets -%}
            select
                '{{ pooled }}' as pooled_weeks,
                team,
                cast({{ plus_days('period_start', 7 * offset) }} as date) as period_start,
                is_complete,
                responses,
                promoters,
                passives,
                detractors
            from weeks
            {{- "
            union all
            " if not (loop.last and last_window) }}
        {%- endfor -%}
    {%- endfor %}

),

-- Of weeks without answers of their own nothing is told.
counts as (

    select
        shifted.team,
        shifted.period_start,
        shifted.pooled_weeks,
        count(*) as weeks_with_answers,
        min(case when shifted.is_complete then 1 else 0 end) = 1 as is_complete,
        {{ summed_counts('shifted') }}
    from shifted
    inner join weeks
        on {{ same(['team', 'period_start'], 'shifted', 'weeks') }}
    group by shifted.team, shifted.period_start, shifted.pooled_weeks

),

{{ nps_block_of('counts') }}

select
    team,
    period_start,
    pooled_weeks,
    weeks_with_answers,
    is_complete,
    {{ nps_block() }},
    nps_adjusted
from with_block
