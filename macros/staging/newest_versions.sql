{# The delivered rows of a table that pass its row rules, one per key: its newest version. #}
{% macro newest_versions(table) -%}
    select parsed.*
    from {{ ref('parsed_' ~ table) }} as parsed
    -- An anti join; written as `not exists` it costs DuckDB a second reading of the rows.
    left join {{ ref('superseded_' ~ table) }} as superseded
        on
            parsed._source_file = superseded._source_file
            and parsed._source_row = superseded._source_row
    where
        parsed.failed_rule is null
        and superseded._source_row is null
{%- endmacro %}
