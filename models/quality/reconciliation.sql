with

-- Counted where the rows come in, not in what was made of them.
rows_read as (

    {% for table in raw_tables() -%}
        select
            '{{ table }}' as table_name,
            count(*) as rows_read
        from {{ delivered_rows(table) }}
        {{- "
        union all
        " if not loop.last }}
    {% endfor %}

),

accepted as (

    {% for table in raw_tables() -%}
        select
            '{{ table }}' as table_name,
            count(*) as accepted
        from {{ ref('stg_' ~ table) }}
        {{- "
        union all
        " if not loop.last }}
    {% endfor %}

),

rejected as (

    select
        table_name,
        count(*) as rejected
    from {{ ref('rejected_rows') }}
    group by table_name

),

superseded as (

    select
        table_name,
        count(*) as superseded
    from {{ ref('superseded_rows') }}
    group by table_name

),

excluded as (

    select
        table_name,
        count(*) as excluded
    from {{ ref('excluded_rows') }}
    group by table_name

),

counted as (

    select
        rows_read.table_name,
        rows_read.rows_read,
        accepted.accepted,
        coalesce(rejected.rejected, 0) as rejected,
        coalesce(superseded.superseded, 0) as superseded,
        coalesce(excluded.excluded, 0) as excluded
    from rows_read
    inner join accepted
        on rows_read.table_name = accepted.table_name
    left join rejected
        on rows_read.table_name = rejected.table_name
    left join superseded
        on rows_read.table_name = superseded.table_name
    left join excluded
        on rows_read.table_name = excluded.table_name

)

select
    table_name,
    rows_read,
    accepted,
    rejected,
    superseded,
    excluded,
    rows_read = accepted + rejected + superseded + excluded as reconciles
from counted
