with

invitations as (

    select * from {{ ref('fct_survey_invitations') }}
    where
        not is_bounced
        and sent_date is not null

),

-- Numerator and denominator are one cohort: of the invitations sent that day, those answered.
daily as (

    select
        survey_type,
        sent_date,
        count(*) as invitations,
        cast(sum(case when responses > 0 then 1 else 0 end) as bigint) as answered
    from invitations
    group by survey_type, sent_date

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
