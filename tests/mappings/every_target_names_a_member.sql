{{ config(severity='warn') }}
-- What: every target of the seed nps_targets is of a department, channel, … that the data has.
-- When it matters: a mistyped member has no gap, and the company's target instead of its own.
-- How to resolve: operations correct scope_id in nps_targets, or deliver the member.
with

members as (

    select
        scope_type,
        scope_id
    from {{ ref('period_response_counts') }}
    where period_type = 'all'
    union all
    select
        scope_type,
        scope_id
    from {{ ref('period_contact_counts') }}
    where period_type = 'all'
    union all
    select
        'department' as scope_type,
        department_id as scope_id
    from {{ ref('dim_departments') }}

)

select
    targets.scope_type,
    targets.scope_id,
    targets.metric
from {{ ref('target_ranges') }} as targets
left join members
    on
        targets.scope_type = members.scope_type
        and targets.scope_id = members.scope_id
where
    members.scope_type is null
    -- Without answers there is no company row, and nothing to compare.
    and targets.scope_type <> 'company'
