{{ config(severity='warn') }}
-- What: every required raw table has at least one row.
-- When it matters: a header alone is a delivery that failed upstream more often than an empty day.
-- How to resolve: the owner of the source looks at why the export was empty.
select
    table_name,
    rows_read
from {{ ref('reconciliation') }}
where
    table_name in ('survey_responses', 'contacts', 'departments')
    and rows_read = 0
