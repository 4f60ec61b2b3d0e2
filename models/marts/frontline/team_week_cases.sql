with

weeks as (

    select * from {{ ref('team_scores') }}
    where
        period_type = 'week'
        and survey_type = 'all'

),

cases as (

    select
        *,
        {{ period_start('week', local_date('due_at')) }} as due_week,
        {{ period_start('week', local_date('attended_at')) }} as attended_week
    from {{ ref('detractor_cases') }}
    -- Overdue at some time: dealt with late, or still waiting after its time.
    where
        is_overdue
        or attended_at > due_at

),

-- A case is overdue from the week in which its time ran out, up to the one before it was attended.
changes as (

    select
        team,
        due_week as period_start,
        count(*) as more_overdue,
        cast(sum(
            case when coalesce(attended_week > due_week, true) then 1 else 0 end
        ) as bigint) as newly_overdue
    from cases
    group by team, due_week
    union all
    select
        team,
        attended_week as period_start,
        -count(*) as more_overdue,
        cast(0 as bigint) as newly_overdue
    from cases
    where attended_week is not null
    group by team, attended_week
    union all
    select
        team,
        period_start,
        cast(0 as bigint) as more_overdue,
        cast(0 as bigint) as newly_overdue
    from weeks

),

weekly as (

    select
        team,
        period_start,
        sum(more_overdue) as more_overdue,
        cast(sum(newly_overdue) as bigint) as newly_overdue
    from changes
    group by team, period_start

),

running as (

    select
        team,
        period_start,
        newly_overdue,
        cast(sum(more_overdue) over (
            partition by team
            order by period_start
            rows between unbounded preceding and current row
        ) as bigint) as overdue
    from weekly

)

select
    running.team,
    running.period_start,
    running.overdue as overdue_cases,
    running.newly_overdue as newly_overdue_cases
from running
inner join weeks
    on {{ same(['team', 'period_start'], 'running', 'weeks') }}
