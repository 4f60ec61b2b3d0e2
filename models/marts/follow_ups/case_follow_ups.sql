with

follow_ups as (

    select
        *,
        coalesce(opened_at, first_contacted_at, closed_at) as began_at
    from {{ ref('categorized_follow_ups') }}
    where response_id is not null

),

ordered as (

    -- The one that was closed last says how the case ended; the one that began last, who has it.
    select
        *,
        row_number() over (
            partition by response_id
            order by closed_at desc nulls last, follow_up_id desc
        ) as place_by_closing,
        row_number() over (
            partition by response_id
            order by began_at desc nulls last, follow_up_id desc
        ) as place_by_opening
    from follow_ups

),

summed as (

    select
        response_id,
        count(*) as follow_ups,
        min(opened_at) as follow_up_opened_at,
        min(first_contacted_at) as first_contacted_at,
        -- A case is open as long as one of its follow-ups is.
        case when count(*) = count(closed_at) then max(closed_at) end as closed_at,
        max(case when place_by_closing = 1 then outcome end) as last_outcome,
        max(case when place_by_closing = 1 then root_cause end) as last_root_cause,
        max(case when place_by_opening = 1 then owner_agent_id end) as owner_agent_id
    from ordered
    group by response_id

)

select
    response_id,
    follow_ups,
    follow_up_opened_at,
    first_contacted_at,
    closed_at,
    case when closed_at is not null then last_outcome end as outcome,
    case when closed_at is not null then last_root_cause end as root_cause,
    owner_agent_id
from summed
