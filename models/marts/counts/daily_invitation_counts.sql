with

daily as (

    select * from {{ ref('daily_scope_invitation_counts') }}
    where scope_type = 'company'

)

select
    survey_type,
    sent_date,
    invitations,
    answered
from daily
union all
select
    'all' as survey_type,
    sent_date,
    cast(sum(invitations) as bigint) as invitations,
    cast(sum(answered) as bigint) as answered
from daily
group by sent_date
