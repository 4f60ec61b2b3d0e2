with

last_contacts as (

    select * from {{ ref('agent_last_contacts') }}

),

period_ends as (

    select
        scope_id as agent_id,
        period_end
    from {{ ref('period_response_counts') }}
    where
        scope_type = 'agent'
        -- Agents who are not told apart have no department of their own.
        and scope_id not in ('unknown', 'withheld')
    group by scope_id, period_end

),

timeline as (

    select
        agent_id,
        contact_date as on_date,
        contact_date,
        null as period_end
    from last_contacts
    union all
    select
        agent_id,
        period_end as on_date,
        null as contact_date,
        period_end
    from period_ends

),

-- The newest contact up to each period's end; contacts of that last day are in it.
dated as (

    select
        agent_id,
        period_end,
        max(contact_date) over (
            partition by agent_id
            order by on_date
            range between unbounded preceding and current row
        ) as contact_date
    from timeline

)

select
    dated.agent_id,
    dated.period_end,
    last_contacts.contact_id,
    last_contacts.department_id,
    last_contacts.team
from dated
left join last_contacts
    on
        dated.agent_id = last_contacts.agent_id
        and dated.contact_date = last_contacts.contact_date
where dated.period_end is not null
