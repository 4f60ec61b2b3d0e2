with

legs as (

    select * from {{ ref('stg_contact_legs') }}

),

departments as (

    select * from {{ ref('stg_departments') }}

),

categorized as (

    select
        legs.contact_id,
        legs.leg_number,
        coalesce(departments.department_id, 'unknown') as department_id,
        legs.department_id as source_department_id,
        coalesce({{ shown_agent('legs.agent_id') }}, 'unknown') as agent_id,
        {{ shown_agent('legs.agent_id') }} as source_agent_id,
        legs.started_at,
        legs.handle_seconds
    from legs
    left join departments
        on legs.department_id = departments.department_id

)

select * from categorized
