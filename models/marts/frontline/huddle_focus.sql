with

headlines as (

    select * from {{ ref('huddle_headlines') }}

),

-- What weighs most in the team's department: one team's comments are too few to say.
pain_points as (

    select * from {{ ref('pain_points') }}
    where
        survey_type = 'all'
        and period_type = 'week'
        and pain_rank = 1

),

themes as (

    select * from {{ ref('team_week_themes') }}

),

praised as (

    select
        *,
        row_number() over (
            partition by team, period_start
            order by promoter_mentions desc nulls last, theme asc
        ) as place
    from themes
    where
        sign = 1
        and promoter_mentions > 0

),

dated as (

    select
        headlines.team,
        headlines.period_start,
        departments.department_id,
        -- The last month that was over when the week was.
        cast(
            {{ plus_months(period_start('month', plus_days('headlines.period_end', 1)), -1) }}
            as date
        ) as month_start
    from headlines
    left join {{ ref('team_week_departments') }} as departments
        on {{ same(['team', 'period_start'], 'headlines', 'departments') }}

)

select
    dated.team,
    dated.period_start,
    dated.department_id,
    coalesce(cases.overdue_cases, 0) as overdue_cases,
    coalesce(cases.newly_overdue_cases, 0) as newly_overdue_cases,
    pain_points.theme as pain_point,
    pain_points.signal_class as pain_point_class,
    pain_points.mentions as pain_point_mentions,
    case
        when pain_points.theme is not null then coalesce(own.mentions, 0)
    end as pain_point_team_mentions,
    praised.theme as praise,
    praised.promoter_mentions as praise_mentions,
    dated.month_start as driver_month,
    drivers.driver,
    drivers.band as driver_band,
    drivers.responses as driver_responses,
    drivers.within_reason_difference as driver_difference
from dated
left join {{ ref('team_week_cases') }} as cases
    on {{ same(['team', 'period_start'], 'dated', 'cases') }}
left join pain_points
    on {{ same(['department_id', 'period_start'], 'dated', 'pain_points') }}
left join themes as own
    on
        {{ same(['team', 'period_start'], 'dated', 'own') }}
        and pain_points.theme = own.theme
left join praised
    on
        {{ same(['team', 'period_start'], 'dated', 'praised') }}
        and praised.place = 1
left join {{ ref('department_month_drivers') }} as drivers
    on
        dated.department_id = drivers.department_id
        and dated.month_start = drivers.period_start
