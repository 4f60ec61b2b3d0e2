-- What: of every raw table, rows read = accepted + rejected + superseded + excluded.
-- When it matters: always; a row that is nowhere is a score nobody can trust.
-- How to resolve: this is ours. quality.reconciliation says which table; report it with the file.
--
-- It hangs on the last models, so that the marts are there to look at.
select
    reconciliation.table_name,
    reconciliation.rows_read,
    reconciliation.accepted,
    reconciliation.rejected,
    reconciliation.superseded,
    reconciliation.excluded
from {{ ref('reconciliation') }} as reconciliation
where
    not reconciliation.reconciles
    or reconciliation.reconciles is null
