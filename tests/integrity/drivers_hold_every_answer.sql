-- What: over the bands of each driver, the answers add up to those of the company or department.
-- When it matters: an answer in no band, or in two, makes every contrast of its driver wrong.
-- How to resolve: correct bands of the seed driver_bands that overlap; else we look for a defect of
-- response_bands.
with

bands as (

    select
        scope_type,
        scope_id,
        survey_type,
        period_type,
        period_start,
        driver,
        sum(responses) as responses,
        sum(promoters) as promoters,
        sum(detractors) as detractors
    from {{ ref('nps_drivers') }}
    group by
        scope_type,
        scope_id,
        survey_type,
        period_type,
        period_start,
        driver

),

found as (

    select driver from {{ ref('nps_drivers') }}
    group by driver

),

scopes as (

    select * from {{ ref('period_response_counts') }}
    where
        scope_type in ('company', 'department')
        and period_type in ('month', 'quarter', 'year', 'all')

)

select
    scopes.scope_type,
    scopes.scope_id,
    scopes.survey_type,
    scopes.period_type,
    scopes.period_start,
    found.driver,
    scopes.responses as responses_of_scope,
    bands.responses as responses_in_bands
from scopes
cross join found
left join bands
    on
        scopes.scope_type = bands.scope_type
        and scopes.scope_id = bands.scope_id
        and scopes.survey_type = bands.survey_type
        and scopes.period_type = bands.period_type
        and scopes.period_start = bands.period_start
        and found.driver = bands.driver
where
    scopes.responses <> coalesce(bands.responses, 0)
    or scopes.promoters <> coalesce(bands.promoters, 0)
    or scopes.detractors <> coalesce(bands.detractors, 0)
