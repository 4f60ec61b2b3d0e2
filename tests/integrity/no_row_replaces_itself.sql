-- What: a row is replaced by another row, never by itself.
-- When it matters: always; a row that was taken in twice would lose to its own copy and be gone.
-- How to resolve: this is ours; look at how parsed rows of the named table are taken in.
select
    table_name,
    record_key,
    source_file,
    source_row
from {{ ref('superseded_rows') }}
where superseded_by = source_file || ':' || cast(source_row as {{ engine_type('varchar') }})
