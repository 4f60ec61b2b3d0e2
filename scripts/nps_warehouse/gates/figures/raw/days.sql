{#- One row per local date on which rows of a table happened. -#}
with

{{ parsed_cells(table, columns) }}

select
    {{ local_date(possible_instant(event)) }} as day,
    count(*) as rows_read
from parsed
where {{ possible_instant(event) }} is not null
group by {{ local_date(possible_instant(event)) }}
