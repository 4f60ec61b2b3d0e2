-- A number for each period, one more than that of the period before it: windows count in it.
{% set month_number = 'extract(year from period_start) * 12 + extract(month from period_start)' %}

with

theme_counts as (

    select * from {{ ref('period_theme_counts') }}
    where period_type in ('week', 'month', 'quarter')

)

select
    scope_type,
    scope_id,
    survey_type,
    theme,
    period_type,
    period_start,
    period_end,
    is_complete,
    responses,
    promoters,
    passives,
    detractors,
    cast(
        case period_type
            -- Every week begins on a Monday, as 2001-01-01 was.
            when 'week' then floor({{ days_between("date '2001-01-01'", 'period_start') }} / 7)
            when 'month' then {{ month_number }}
            when 'quarter' then ({{ month_number }} - 1) / 3
        end as bigint
    ) as period_number
from theme_counts
