-- Why did the score move?
-- The mix effect is that answers came from other departments than the month before, the rate effect
-- that departments were rated otherwise; both add up to the company's change, with nothing left
-- over. The departments that weigh most come first. This says where a change is, not that it is
-- real: which_department_moved says that.
with

departments as (

    select *
    from {{ ref('dim_departments') }}

),

effects as (

    select *
    from {{ ref('nps_change_decomposition') }}
    where
        survey_type = 'all'
        and period_type = 'month'
        and comparison = 'previous_period'
        and scope_type = 'department'
        and is_complete

),

last_month as (

    select max(period_start) as period_start
    from effects

),

totals as (

    select
        period_start,
        {{ sum_of_doubles('mix_effect') }} as company_mix_effect,
        {{ sum_of_doubles('rate_effect') }} as company_rate_effect
    from effects
    group by period_start

)

select
    effects.period_start,
    effects.previous_company_nps,
    effects.company_nps,
    effects.company_nps_change,
    totals.company_mix_effect,
    totals.company_rate_effect,
    effects.scope_id as department_id,
    departments.department_name,
    effects.previous_responses,
    effects.responses,
    effects.mix_effect,
    effects.rate_effect,
    effects.total_effect
from effects
inner join last_month
    on effects.period_start = last_month.period_start
inner join totals
    on effects.period_start = totals.period_start
left join departments
    on effects.scope_id = departments.department_id
order by
    abs(effects.total_effect) desc,
    department_id asc
