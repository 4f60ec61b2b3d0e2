{{ config(severity='warn') }}
-- What: no answer is older than the contact it is about.
-- When it matters: a clock in another zone, a day without its time, or the wrong contact.
-- How to resolve: the analyst counts them by source and asks its owner. The answers are kept.
select
    responses.response_id,
    responses.responded_at,
    contacts.started_at
from {{ ref('fct_survey_responses') }} as responses
inner join {{ ref('fct_contacts') }} as contacts
    on responses.contact_id = contacts.contact_id
where responses.responded_at < contacts.started_at
