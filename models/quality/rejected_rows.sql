with

-- Rules that look at one row.
row_rules as (

    {% for table in raw_tables() -%}
        select
            '{{ table }}' as table_name,
            _source_file,
            _source_row,
            {{ shown_record_key(table) }} as record_key,
            rejected_column,
            rejected_value,
            rejection_reason
        from {{ ref('flawed_' ~ table) }}
        where rejection_reason is not null
        {{- "
        union all
        " if not loop.last }}
    {% endfor %}

),

-- Rules that look at a table's rows together.
set_rules as (

    {% for table in ['departments', 'agent_assignments'] -%}
        select
            '{{ table }}' as table_name,
            _source_file,
            _source_row,
            {{ shown_record_key(table) }} as record_key,
            rejected_column,
            rejected_value,
            rejection_reason
        from {{ ref('judged_' ~ table) }}
        where rejection_reason is not null
        {{- "
        union all
        " if not loop.last }}
    {% endfor %}

),

-- Kept, so that the masking behind it is planned once and not once per table.
rejected as {{ materialized() }} (

    select * from row_rules
    union all
    select * from set_rules

)

select
    table_name,
    _source_file as source_file,
    _source_row as source_row,
    record_key,
    rejected_column as column_name,
    left({{ masked_cell('rejected_value') }}, 200) as raw_value,
    rejection_reason as reason
from rejected
