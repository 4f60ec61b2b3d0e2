with

contacts as (

    select
        month_start,
        agent_id,
        channel,
        contacts,
        invited_contacts
    from {{ ref('inviting_counts') }}

),

{{ by_complete_period('contacts', 'month_start', ['month', 'quarter', 'year']) }},

by_channel as (

    select
        period_type,
        period_start,
        period_end,
        agent_id,
        channel,
        sum(contacts) as contacts,
        sum(invited_contacts) as invited_contacts
    from contacts_by_period
    group by period_type, period_start, period_end, agent_id, channel

),

of_others as (

    select
        *,
        sum(contacts) over (partition by period_type, period_start, channel)
        - contacts as others_contacts,
        sum(invited_contacts) over (partition by period_type, period_start, channel)
        - invited_contacts as others_invited
    from by_channel

),

with_rate as (

    select
        *,
        cast(others_invited as {{ double_type() }}) / nullif(others_contacts, 0) as others_rate
    from of_others

),

-- How likely it is that none of the contacts is followed by an invitation, if each is as likely to
-- be as the others' contacts in its channel. A channel without others says nothing.
agents as (

    select
        'agent' as scope_type,
        agent_id as scope_id,
        period_type,
        period_start,
        period_end,
        cast(sum(contacts) as bigint) as cases,
        cast(sum(invited_contacts) as {{ double_type() }}) as observed,
        {{ sum_of_doubles('contacts * others_rate') }} as expected,
        case
            when sum(invited_contacts) > 0 then 1.0
            when max(others_rate) >= 1 then 0.0
            else exp({{ sum_of_doubles(
                'case when others_rate < 1 then contacts * ln(1 - others_rate) end'
            ) }})
        end as p_value
    from with_rate
    where {{ can_be_asked('agent_id') }}
    group by agent_id, period_type, period_start, period_end

),

comparisons as (

    select * from agents
    where expected >= {{ var('nps_expected_invitations') }}

),

{{ suspicions_of(
    'never_invited',
    'transactional',
    'observed = 0',
    "'Why was none of the ' || " ~ in_words('cases') ~ " || ' contacts of ' || " ~ whom_and_when()
    ~ " || ' followed by an invitation, when ' || " ~ in_words('expected')
    ~ " || ' were to be expected from how others are invited?'",
) }}
