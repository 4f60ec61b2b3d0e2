{% set shorter_periods = ['day', 'week', 'month', 'quarter', 'year'] %}

with

counts as (

    select * from {{ ref('period_response_counts') }}
    where scope_type = 'company'

),

invitations as (

    select * from {{ ref('daily_invitation_counts') }}

),

-- Of the date an invitation was sent, whatever date the answers' periods are made of.
invitation_periods as (

    {% for period_type in shorter_periods -%}
        select
            survey_type,
            '{{ period_type }}' as period_type,
            {{ period_start(period_type, 'sent_date') }} as period_start,
            sum(invitations) as invitations,
            sum(answered) as answered
        from invitations
        group by survey_type, {{ period_start(period_type, 'sent_date') }}
        union all
    {% endfor -%}
    select
        invitations.survey_type,
        'all' as period_type,
        as_of.first_response_date as period_start,
        sum(invitations.invitations) as invitations,
        sum(invitations.answered) as answered
    from invitations
    cross join {{ ref('as_of') }} as as_of
    group by invitations.survey_type, as_of.first_response_date

),

{{ nps_block_of('counts') }}

select
    {{ period_columns('with_block') }},
    {{ nps_block() }},
    cast(coalesce(invitation_periods.invitations, 0) as bigint) as invitations,
    {{ share_pct('invitation_periods.answered', 'invitation_periods.invitations') }}
        as response_rate
from with_block
left join invitation_periods
    on
        with_block.survey_type = invitation_periods.survey_type
        and with_block.period_type = invitation_periods.period_type
        and with_block.period_start = invitation_periods.period_start
