{# After a seed is loaded: the business's own version of it replaces its rows, if one was landed
   from NPS_SEEDS_DIR as raw.seed_<name>. #}
{% macro use_business_seed() %}
    {% if not execute %}{% do return('') %}{% endif %}
    {% set own = adapter.get_relation(this.database, 'raw', 'seed_' ~ this.identifier) %}
    {% if own is none %}{% do return('') %}{% endif %}
    {% set columns = adapter.get_columns_in_relation(this) %}
    delete from {{ this }};
    insert into {{ this }}
    select
        {% for column in columns -%}
            cast({{ trimmed(column.quoted) }} as {{ column.dtype }}) as {{ column.quoted }}
            {{- "," if not loop.last }}
        {% endfor %}
    from {{ own }}
{% endmacro %}
