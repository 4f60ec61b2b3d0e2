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

memberships as (

    select * from {{ ref('initiative_memberships') }}

),

-- What is done to a department is done above and below it as well, and to its teams and agents;
-- what is done to a team, to its agents.
related as (

    select
        'department' as scope_type,
        department_id as scope_id,
        'department' as touched_type,
        ancestor_id as touched_id
    from ancestors
    where levels_above > 0
    union all
    select
        'department' as scope_type,
        ancestor_id as scope_id,
        'department' as touched_type,
        department_id as touched_id
    from ancestors
    where levels_above > 0
    union all
    select
        upper_type as scope_type,
        upper_id as scope_id,
        lower_type as touched_type,
        lower_id as touched_id
    from memberships

),

touched as (

    select
        initiative_id,
        scope_type,
        scope_id,
        started_on,
        ended_on,
        is_training
    from windows
    union all
    select
        windows.initiative_id,
        related.touched_type as scope_type,
        related.touched_id as scope_id,
        windows.started_on,
        windows.ended_on,
        windows.is_training
    from windows
    inner join related
        on
            windows.scope_type = related.scope_type
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
