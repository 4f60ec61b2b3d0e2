-- What would it take to reach the target, or 50?
-- Of the answers of the last month that is over: so many detractors would have to have been
-- promoters, or so many answers one category better. Empty: not even all of them would do. The
-- status says whether the month's interval already decides it.
with

months as (

    select *
    from {{ ref('nps_by_period') }}
    where
        survey_type = 'all'
        and period_type = 'month'
        and is_complete

),

last_month as (

    select max(period_start) as period_start
    from months

),

targets as (

    select
        period_start,
        target
    from {{ ref('nps_targets_gap') }}
    where
        survey_type = 'all'
        and period_type = 'month'
        and scope_type = 'company'
        and not is_rollup

),

goals as (

    select
        'target' as goal,
        targets.target as goal_nps
    from targets
    inner join last_month
        on targets.period_start = last_month.period_start
    union all
    select
        'fifty' as goal,
        cast(50 as decimal(18, 4)) as goal_nps

)

select
    goals.goal,
    goals.goal_nps,
    months.period_start,
    months.responses,
    months.nps,
    months.nps_ci_low,
    months.nps_ci_high,
    {{ target_status(
        'months.nps_ci_low', 'months.nps_ci_high', 'goals.goal_nps', 'months.is_reportable'
    ) }} as status,
    {{ detractors_to_turn(
        'months.detractors', 'months.passives', 'months.promoters', 'goals.goal_nps'
    ) }} as detractors_to_turn,
    {{ one_step_moves(
        'months.detractors', 'months.passives', 'months.promoters', 'goals.goal_nps'
    ) }} as one_step_moves
from months
inner join last_month
    on months.period_start = last_month.period_start
cross join goals
order by
    goals.goal_nps asc,
    goals.goal asc
