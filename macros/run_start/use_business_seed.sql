{# After a seed is loaded: the business's own version of it replaces its rows, if one was landed
   from NPS_SEEDS_DIR as raw.seed_<name>; and what it holds now is noted. #}
{% macro use_business_seed() %}
    {% if not execute %}{% do return('') %}{% endif %}
    {{ adapter.dispatch('use_business_seed')() }}
{% endmacro %}

{% macro default__use_business_seed() %}
    {% set own = adapter.get_relation(this.database, 'raw', 'seed_' ~ this.identifier) %}
    {% if own is not none %}
        delete from {{ this }};
        insert into {{ this }}
        select
            {% for column in adapter.get_columns_in_relation(this) -%}
                cast({{ trimmed(column.quoted) }} as {{ column.dtype }}) as {{ column.quoted }}
                {{- "," if not loop.last }}
            {% endfor %}
        from {{ own }};
    {% endif %}
    {{ note_seed_contents() }}
{% endmacro %}
