with

cases as (

    select
        cases.*,
        as_of.as_of
    from {{ ref('detractor_cases') }} as cases
    cross join {{ ref('as_of') }} as as_of

),

{{ cases_by_period('cases') }}

select
    scope_type,
    scope_id,
    period_type,
    period_start,
    max(period_end) as period_end,
    count(*) as cases,
    {{ counted_cases() }}
from cases_by_period
group by scope_type, scope_id, period_type, period_start
