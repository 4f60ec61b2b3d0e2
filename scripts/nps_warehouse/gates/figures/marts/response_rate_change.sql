{#- Response rate of invitations sent in the last complete month less that of the months before. -#}
with

{{ recent_periods() }},

sent as (

    select
        invitations.survey_type,
        invitations.sent_date >= months.month_start as is_recent,
        count(*) as invitations,
        sum(case when invitations.responses > 0 then 1 else 0 end) as answered
    from marts.fct_survey_invitations as invitations
    cross join months
    where
        invitations.sent_date >= months.past_start
        and invitations.sent_date < months.month_after
        and not invitations.is_bounced
    group by
        invitations.survey_type,
        invitations.sent_date >= months.month_start

)

select
    'fct_survey_invitations' as table_name,
    'responses' as column_name,
    'survey_type ' || recent.survey_type as part,
    100.0 * recent.answered / recent.invitations - 100.0 * past.answered / past.invitations
        as value,
    least(recent.invitations, past.invitations) as volume
from sent as recent
inner join sent as past
    on recent.survey_type = past.survey_type
where
    recent.is_recent
    and not past.is_recent
