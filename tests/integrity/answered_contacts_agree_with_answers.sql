-- What: the answers counted on contacts are the answers that name an accepted contact.
-- When it matters: always; the two facts are read side by side.
-- How to resolve: this is ours; look at how fct_contacts finds its answers.
with

from_contacts as (

    select coalesce(sum(responses), 0) as responses
    from {{ ref('fct_contacts') }}

),

from_responses as (

    select count(*) as responses
    from {{ ref('fct_survey_responses') }}
    where contact_id <> 'unknown'

)

select
    from_contacts.responses as responses_on_contacts,
    from_responses.responses as responses_with_contact
from from_contacts
cross join from_responses
where from_contacts.responses <> from_responses.responses
