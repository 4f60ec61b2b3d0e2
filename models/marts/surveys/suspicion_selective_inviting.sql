with

contacts as (

    {% for scope_type in ['department', 'agent'] -%}
        select
            '{{ scope_type }}' as scope_type,
            {{ scope_type }}_id as scope_id,
            month_start,
            channel,
            is_hard,
            contacts,
            invited_contacts
        from {{ ref('inviting_counts') }}
        where
            is_hard is not null
            and {{ can_be_asked(scope_type ~ '_id') }}
        {{- "
        union all
        " if not loop.last }}
    {% endfor %}

),

{{ by_complete_period('contacts', 'month_start', ['month', 'quarter', 'year']) }},

by_channel as (

    select
        scope_type,
        scope_id,
        period_type,
        period_start,
        period_end,
        channel,
        sum(contacts) as contacts,
        sum(invited_contacts) as invited,
        sum(case when is_hard then contacts else 0 end) as hard_contacts,
        sum(case when is_hard then invited_contacts else 0 end) as hard_invited
    from contacts_by_period
    group by scope_type, scope_id, period_type, period_start, period_end, channel

),

-- Channels are strata: that a channel has more of them, or asks less, is not the agent's doing.
members as (

    select
        scope_type,
        scope_id,
        period_type,
        period_start,
        period_end,
        cast(sum(hard_contacts) as bigint) as cases,
        cast(sum(hard_invited) as {{ double_type() }}) as observed,
        {{ stratified_expected('hard_contacts', 'invited', 'contacts') }} as expected,
        {{ stratified_z('hard_invited', 'hard_contacts', 'invited', 'contacts') }} as z
    from by_channel
    group by scope_type, scope_id, period_type, period_start, period_end

),

comparisons as (

    select
        *,
        {{ two_sided_p('z') }} as p_value
    from members
    where expected >= {{ var('nps_expected_invitations') }}

),

{{ suspicions_of(
    'selective_inviting',
    'transactional',
    'observed < ' ~ var('nps_selective_inviting_ratio') ~ ' * expected',
    "'Were unhappy callers of ' || " ~ whom_and_when() ~ " || ' invited less often: ' || "
    ~ in_words('observed') ~ " || ' of ' || " ~ in_words('cases')
    ~ " || ' unresolved or transferred contacts, when ' || " ~ in_words('expected')
    ~ " || ' would be as many as of the other contacts?'",
) }}
