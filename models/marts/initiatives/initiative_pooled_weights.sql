{% set pool = ['initiative_name', 'scope_type', 'survey_type'] %}

with

windows as (

    select
        *,
        count(*) over (partition by initiative_name, scope_type) as initiatives
    from {{ ref('initiative_windows') }}

),

comparisons as (

    select * from {{ ref('initiative_comparisons') }}
    where did is not null

),

verdicts as (

    select * from {{ ref('initiative_verdicts') }}
    where overlapping_initiatives = 0

),

-- Few answers of one do not keep it from its part in the whole; an open window does.
measured as (

    select
        windows.initiative_name,
        windows.scope_type,
        comparisons.survey_type,
        comparisons.initiative_id,
        windows.initiatives,
        windows.started_on,
        comparisons.before_responses,
        comparisons.after_responses,
        comparisons.control_before_responses,
        comparisons.control_after_responses,
        comparisons.did,
        comparisons.trend_difference,
        comparisons.trend_standard_error
    from comparisons
    inner join verdicts
        on {{ same(['initiative_id', 'survey_type'], 'comparisons', 'verdicts') }}
    inner join windows
        on comparisons.initiative_id = windows.initiative_id
    where
        windows.is_window_over
        and windows.initiatives > 1

)

select
    *,
    cast(after_responses as {{ double_type() }})
    / sum(after_responses) over (partition by {{ pool | join(', ') }}) as pool_weight
from measured
