with

as_of as (

    select * from {{ ref('as_of') }}

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

moments as (

    select
        period_ends.agent_id,
        period_ends.period_end,
        least({{ end_of_local_date('period_ends.period_end') }}, as_of.as_of) as moment
    from period_ends
    cross join as_of

),

departments as (

    select * from {{ ref('stg_departments') }}

),

assignments as (

    select
        {{ shown_agent('assignments.agent_id') }} as agent_id,
        coalesce(departments.department_id, 'unknown') as department_id,
        assignments.valid_from,
        assignments.valid_to
    from {{ ref('stg_agent_assignments') }} as assignments
    left join departments
        on assignments.department_id = departments.department_id

),

last_contacts as (

    select * from {{ ref('agent_last_contacts') }}

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
last_contact_dates as (

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
    moments.agent_id,
    moments.period_end,
    coalesce(assignments.department_id, last_contacts.department_id, 'unknown') as department_id
from moments
left join assignments
    on
        moments.agent_id = assignments.agent_id
        and moments.moment >= assignments.valid_from
        and (moments.moment < assignments.valid_to or assignments.valid_to is null)
left join last_contact_dates
    on
        moments.agent_id = last_contact_dates.agent_id
        and moments.period_end = last_contact_dates.period_end
left join last_contacts
    on
        last_contact_dates.agent_id = last_contacts.agent_id
        and last_contact_dates.contact_date = last_contacts.contact_date
