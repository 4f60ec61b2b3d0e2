with

daily as (

    select * from {{ ref('daily_response_counts') }}
    where scope_type = 'department'

)

select
    ancestors.ancestor_id as department_id,
    daily.survey_type,
    daily.period_date,
    {{ summed_counts('daily') }}
from daily
inner join {{ ref('dated_department_ancestors') }} as ancestors
    on
        daily.scope_id = ancestors.department_id
        and daily.period_date >= ancestors.valid_from_on
        and daily.period_date < ancestors.valid_until_on
group by ancestors.ancestor_id, daily.survey_type, daily.period_date
