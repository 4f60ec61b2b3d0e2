{# One row per delivered row that a newer version of the same key replaces. Only keys that occur
   more than once are ordered: the newest updated_at wins (missing is older than any), then the
   later row of the later file.

   key: columns that make the key.
#}
{% macro superseded_versions(table, key, has_updated_at=true) %}
with

candidates as (

    select * from {{ ref('parsed_' ~ table) }}
    where
        failed_rule is null
        {% if is_incremental() -%}
            and {{ key[0] }} in (select value from {{ scratch('changed') }})
        {% endif %}

),

repeated_keys as (

    select {{ key | join(', ') }}
    from candidates
    group by {{ key | join(', ') }}
    having count(*) > 1

),

versions as (

    select
        candidates.record_key,
        candidates.{{ key[0] }} as first_key,
        candidates._source_file,
        candidates._source_row,
        row_number() over (newest_first) as version_rank,
        first_value(
            candidates._source_file || ':' || cast(candidates._source_row as {{ engine_type('varchar') }})
        ) over (newest_first) as superseded_by
    from candidates
    inner join repeated_keys
        on {% for column in key -%}
            candidates.{{ column }} = repeated_keys.{{ column }}
            {{- " and " if not loop.last }}
        {%- endfor %}
    window newest_first as (
        partition by {% for column in key %}candidates.{{ column }}{{ ", " if not loop.last }}{% endfor %}
        order by
            {% if has_updated_at -%}
                candidates.updated_at desc nulls last,
            {% endif -%}
            candidates._source_file desc nulls last,
            candidates._source_row desc nulls last
    )

)

select
    record_key,
    first_key,
    _source_file,
    _source_row,
    superseded_by
from versions
where version_rank > 1
{% endmacro %}
