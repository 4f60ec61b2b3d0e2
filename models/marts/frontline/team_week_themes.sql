with

mentions as (

    select
        team,
        {{ period_start('week', 'period_date') }} as period_start,
        theme,
        family,
        sign,
        nps_category
    from {{ ref('said_themes') }}

),

counted as (

    select
        team,
        period_start,
        theme,
        family,
        sign,
        {{ category_counts() }}
    from mentions
    group by team, period_start, theme, family, sign

)

select
    team,
    period_start,
    theme,
    family,
    sign,
    responses as mentions,
    promoters as promoter_mentions,
    detractors as detractor_mentions
from counted
