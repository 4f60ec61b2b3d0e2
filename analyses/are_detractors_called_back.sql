-- Are detractors called back in time, and does it help?
-- In time: the share of the cases of the last month that is over which were worked on by their
-- deadline, of those where that is decided. Helping: what called-back customers said next, less
-- what others like them said next, over all months. Not randomised: see closed_loop_recovery.
with

months as (

    select *
    from {{ ref('closed_loop_performance') }}
    where
        scope_type = 'company'
        and period_type = 'month'
        and is_complete

),

last_month as (

    select max(period_start) as period_start
    from months

),

recovery as (

    select *
    from {{ ref('closed_loop_recovery') }}
    where
        scope_type = 'company'
        and follow_up = 'any'

)

select
    months.period_start,
    months.cases,
    months.sla_cases,
    months.within_sla,
    months.within_sla_pct,
    months.within_sla_pct_ci_low,
    months.within_sla_pct_ci_high,
    months.hours_to_contact_p50,
    recovery.followed_up_customers,
    recovery.compared_customers,
    recovery.recovery,
    recovery.recovery_ci_low,
    recovery.recovery_ci_high,
    recovery.verdict as recovery_verdict
from months
inner join last_month
    on months.period_start = last_month.period_start
left join recovery
    on months.scope_type = recovery.scope_type
order by months.period_start asc
