{# The delivered rows of a table that pass its row rules, one per key: its newest version.

   parsed, superseded: what stands for the models of these names, where only some rows are asked for. #}
{% macro newest_versions(table, parsed=none, superseded=none) -%}
    select parsed.*
    from {{ parsed or ref('parsed_' ~ table) }} as parsed
    -- An anti join; written as `not exists` it costs DuckDB a second reading of the rows.
    left join {{ superseded or ref('superseded_' ~ table) }} as superseded
        on
            parsed._source_file = superseded._source_file
            and parsed._source_row = superseded._source_row
    where
        parsed.failed_rule is null
        and superseded._source_row is null
{%- endmacro %}

{# Of these rows those whose key was taken out. The keys are looked up in the parsed rows: DuckDB
   does not push a semi join below the join that finds the newest versions. #}
{% macro changed_newest_versions(table, key) -%}
    {{ newest_versions(
        table,
        parsed='(select * from ' ~ relation_named('parsed_' ~ table)
            ~ ' where ' ~ key ~ ' in (' ~ changed_keys('varchar') ~ '))',
        superseded=relation_named('superseded_' ~ table),
    ) }}
{%- endmacro %}
