with

as_of as (

    select * from {{ ref('as_of') }}

),

last_contacts as (

    select * from {{ ref('agent_last_contacts_by_period') }}

),

assignments as (

    select * from {{ ref('categorized_agent_assignments') }}

),

moments as (

    select
        last_contacts.agent_id,
        last_contacts.period_end,
        last_contacts.department_id,
        last_contacts.team,
        least({{ end_of_local_date('last_contacts.period_end') }}, as_of.as_of) as moment
    from last_contacts
    cross join as_of

)

select
    moments.agent_id,
    moments.period_end,
    coalesce(assignments.department_id, moments.department_id, 'unknown') as department_id,
    coalesce(assignments.team, moments.team, 'unknown') as team
from moments
left join assignments
    on
        moments.agent_id = assignments.agent_id
        and moments.moment >= assignments.valid_from
        and moments.moment < assignments.valid_until
