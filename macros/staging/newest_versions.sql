{# The delivered rows of a table that pass its row rules, one per key: its newest version. #}
{% macro newest_versions(table) -%}
    select parsed.*
    from {{ ref('parsed_' ~ table) }} as parsed
    where
        parsed.rejection_reason is null
        and not exists (
            select 1
            from {{ ref('superseded_' ~ table) }} as superseded
            where
                superseded._source_file = parsed._source_file
                and superseded._source_row = parsed._source_row
        )
{%- endmacro %}
