{% for table in raw_tables() -%}
    select
        '{{ table }}' as table_name,
        {{ shown_record_key(table) }} as record_key,
        _source_file as source_file,
        _source_row as source_row,
        superseded_by
    from {{ ref('superseded_' ~ table) }}
    {{- "
    union all
    " if not loop.last }}
{% endfor %}
