-- What: no delivered CSV file has a quote that is opened and never closed.
-- When it matters: everything from that line to the end of the file is one rejected row; the rows
--   in it are in no score.
-- How to resolve: the owner of the file closes the quote in the named line and delivers it again.
--
-- Reading the reconciliation as well makes it run last: the marts are there to look at.
select
    rejected_rows.table_name,
    rejected_rows.source_file,
    rejected_rows.source_row,
    rejected_rows.reason
from {{ ref('rejected_rows') }} as rejected_rows
inner join {{ ref('reconciliation') }} as reconciliation
    on rejected_rows.table_name = reconciliation.table_name
where rejected_rows.reason like 'unclosed quote%'
