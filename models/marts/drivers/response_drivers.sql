{% set zero_or_one = {
    'first_contact_resolution': 'responses.is_resolved',
    'repeat_contact': 'repeats.is_repeat',
    'channel_switch': 'repeats.is_channel_switch',
} %}

with

responses as (

    select * from {{ ref('fct_survey_responses') }}

),

contacts as (

    select * from {{ ref('fct_contacts') }}

),

paths as (

    select * from {{ ref('contact_paths') }}

),

repeats as (

    select * from {{ ref('contact_repeats') }}

),

measured as (

    select
        responses.response_id,
        responses.survey_type,
        responses.period_date,
        responses.contact_id,
        responses.department_id,
        responses.contact_reason,
        responses.nps_category,
        responses.nps_contribution,
        coalesce(paths.transfer_path, 'unknown') as transfer_path,
        responses.queue_seconds,
        responses.hold_seconds,
        responses.handle_seconds,
        case
            when responses.handle_seconds >= coalesce(responses.hold_seconds, 0)
                then responses.handle_seconds - coalesce(responses.hold_seconds, 0)
        end as talk_seconds,
        responses.transfers,
        paths.departments_touched,
        {% for driver, value in zero_or_one.items() -%}
            case when {{ value }} then 1 when not {{ value }} then 0 end as {{ driver }},
        {% endfor -%}
        -- Whoever answers before the contact is over takes no time; an answer that is older than
        -- its contact says nothing of how long answers take.
        case
            when responses.responded_at >= contacts.started_at
                then greatest(
                    0, {{ hours_between(
                        'coalesce(contacts.ended_at, contacts.started_at)',
                        'responses.responded_at',
                    ) }}
                )
        end as hours_to_answer,
        case
            when contacts.contact_date >= agents.hired_on
                then {{ hours_between(
                    'cast(agents.hired_on as timestamp)', 'cast(contacts.contact_date as timestamp)'
                ) }} / 24
        end as agent_tenure_days
    from responses
    left join contacts
        on responses.contact_id = contacts.contact_id
    left join paths
        on responses.contact_id = paths.contact_id
    left join repeats
        on responses.contact_id = repeats.contact_id
    left join {{ ref('dim_agents') }} as agents
        on responses.agent_id = agents.agent_id

)

select
    response_id,
    survey_type,
    period_date,
    contact_id,
    department_id,
    contact_reason,
    nps_category,
    nps_contribution,
    {% for driver in drivers() -%}
        cast({{ driver }} as {{ double_type() }}) as {{ driver }},
    {% endfor -%}
    transfer_path
from measured
