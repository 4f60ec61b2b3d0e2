{{ config(severity='warn') }}
-- What: every department a contact names is an accepted row of departments.
-- When it matters: contacts of a missing department are in the total, but in no department's score.
-- How to resolve: operations deliver the department, or correct the parent chain it has.
select
    source_department_id,
    count(*) as contacts
from {{ ref('fct_contacts') }}
where
    department_id = 'unknown'
    and source_department_id is not null
group by source_department_id
