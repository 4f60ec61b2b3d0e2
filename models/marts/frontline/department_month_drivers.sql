with

drivers as (

    select * from {{ ref('nps_drivers') }}
    where
        scope_type = 'department'
        and survey_type = 'all'
        and period_type = 'month'
        -- Worse within the same reasons: not only because hard contacts take longer.
        and within_reason_verdict = 'down'

),

ordered as (

    select
        *,
        row_number() over (
            partition by scope_id, period_start
            order by points_at_stake desc nulls last, driver asc, band asc
        ) as place
    from drivers

)

select
    scope_id as department_id,
    period_start,
    driver,
    band,
    responses,
    within_reason_difference,
    points_at_stake
from ordered
where place = 1
