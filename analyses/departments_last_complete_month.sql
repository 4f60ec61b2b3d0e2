-- Which departments stand where, in the last month that is over? Only groups with enough answers,
-- each with its interval: two whose intervals overlap widely are not told apart by this table.
with

complete_months as (

    select *
    from {{ ref('nps_by_department') }}
    where
        survey_type = 'all'
        and period_type = 'month'
        and is_complete
        and not is_rollup

),

last_month as (

    select max(period_start) as period_start
    from complete_months

)

select
    complete_months.department_name,
    complete_months.responses,
    complete_months.nps,
    complete_months.nps_ci_low,
    complete_months.nps_ci_high,
    complete_months.nps_band
from complete_months
inner join last_month
    on complete_months.period_start = last_month.period_start
where complete_months.is_reportable
order by
    complete_months.nps desc,
    complete_months.department_id asc
