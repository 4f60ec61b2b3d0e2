{# Accepted invitations with the number of their answers.

   invitations: relation with rows of stg_survey_invitations.
   responses:   relation with rows of stg_survey_responses, all those of these invitations. #}
{% macro labelled_survey_invitations(invitations, responses) -%}
with

invitations as (

    select * from {{ invitations }}

),

answers as (

    select
        invitation_id,
        count(*) as responses
    from {{ responses }}
    where invitation_id is not null
    group by invitation_id

)

select
    invitations.invitation_id,
    invitations.survey_id,
    invitations.survey_type,
    invitations.contact_id,
    invitations.customer_id,
    invitations.survey_channel,
    invitations.sent_at,
    {{ local_date('invitations.sent_at') }} as sent_date,
    invitations.delivered_at,
    invitations.opened_at,
    invitations.status,
    coalesce(invitations.status = 'bounced', false) as is_bounced,
    coalesce(answers.responses, 0) as responses
from invitations
left join answers
    on invitations.invitation_id = answers.invitation_id
{%- endmacro %}
