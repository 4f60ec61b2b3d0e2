with

windows as (

    select * from {{ ref('initiative_windows') }}
    where
        started_on is not null
        and scope_type <> 'unknown'

),

ancestors as (

    select * from {{ ref('department_ancestors') }}

),

-- A department's initiative touches what is above and below it as well.
related as (

    select
        department_id as scope_id,
        ancestor_id as touched_id
    from ancestors
    union all
    select
        ancestor_id as scope_id,
        department_id as touched_id
    from ancestors
    where levels_above > 0

),

touched as (

    select
        windows.initiative_id,
        windows.scope_type,
        coalesce(related.touched_id, windows.scope_id) as scope_id,
        windows.started_on,
        windows.ended_on,
        windows.is_training
    from windows
    left join related
        on
            windows.scope_type = 'department'
            and windows.scope_id = related.scope_id

)

select
    initiative_id,
    scope_type,
    scope_id,
    started_on,
    -- What was learnt takes a window to settle; what is still on has no end.
    case
        when is_training
            then cast({{ plus_days(
                'coalesce(ended_on, started_on)', var('nps_initiative_days')
            ) }} as date)
        else coalesce(ended_on, date '9999-12-31')
    end as touched_until
from touched
