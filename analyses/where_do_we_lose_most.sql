-- Where do we lose most points?
-- Impact: the company's score less what it would be without the department, over the last year that
-- is over. The lowest costs most: it is large, or rated low, or both. down: it is rated lower than
-- the rest for more than chance.
with

departments as (

    select *
    from {{ ref('dim_departments') }}

),

impacts as (

    select *
    from {{ ref('nps_impacts') }}
    where
        survey_type = 'all'
        and period_type = 'year'
        and scope_type = 'department'
        and is_complete

),

last_year as (

    select max(period_start) as period_start
    from impacts

)

select
    impacts.period_start,
    impacts.scope_id as department_id,
    departments.department_name,
    impacts.responses,
    impacts.nps,
    impacts.company_nps,
    impacts.impact,
    impacts.difference_from_rest,
    impacts.adjusted_p_value,
    impacts.verdict,
    impacts.detractors,
    impacts.detractor_share_pct
from impacts
inner join last_year
    on impacts.period_start = last_year.period_start
left join departments
    on impacts.scope_id = departments.department_id
order by
    impacts.impact asc nulls last,
    department_id asc
