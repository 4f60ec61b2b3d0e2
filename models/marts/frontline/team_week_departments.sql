with

responses as (

    select
        team,
        {{ period_start('week', 'period_date') }} as period_start,
        department_id
    from {{ ref('fct_survey_responses') }}

),

counted as (

    select
        team,
        period_start,
        department_id,
        count(*) as responses
    from responses
    group by team, period_start, department_id

),

ordered as (

    select
        *,
        row_number() over (
            partition by team, period_start
            order by responses desc nulls last, department_id asc
        ) as place
    from counted

)

select
    team,
    period_start,
    department_id
from ordered
where place = 1
