-- Which department moved last month, and is it real?
-- A department moved where the verdict is up or down: a change that chance does not explain,
-- adjusted for the number of departments that were tested. The rest is noise, however large it
-- looks; "not tested" had too few answers on one side, or none.
with

departments as (

    select *
    from {{ ref('dim_departments') }}

),

trends as (

    select *
    from {{ ref('nps_trends') }}
    where
        survey_type = 'all'
        and period_type = 'month'
        and is_complete

),

last_month as (

    select max(period_start) as period_start
    from trends
    where scope_type = 'company'

)

select
    trends.period_start,
    trends.scope_id as department_id,
    departments.department_name,
    trends.responses,
    trends.previous_responses,
    trends.previous_nps,
    trends.nps,
    trends.nps_change,
    trends.nps_change_ci_low,
    trends.nps_change_ci_high,
    trends.adjusted_p_value,
    trends.adjusted_p_value is not null as is_tested,
    trends.verdict
from trends
inner join last_month
    on trends.period_start = last_month.period_start
left join departments
    on trends.scope_id = departments.department_id
where trends.scope_type = 'department'
order by
    case when trends.verdict in ('up', 'down') then 0 else 1 end asc,
    abs(trends.nps_change) desc nulls last,
    department_id asc
