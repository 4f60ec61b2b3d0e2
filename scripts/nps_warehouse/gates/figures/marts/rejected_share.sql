{#- Rejected rows of every raw table that has rows. -#}
select
    table_name,
    '' as column_name,
    '' as part,
    1.0 * rejected / rows_read as value,
    rows_read as volume
from quality.reconciliation
where rows_read > 0
