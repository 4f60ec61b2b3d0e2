{# What a lake refuses where dbt-duckdb does not ask whether it is one. #}

{# A view of a lake has a comment, its columns have none. #}
{% macro duckdb__alter_column_comment(relation, column_dict) %}
    {% if relation.is_view and adapter.is_ducklake(relation) %}
        {{ return('') }}
    {% endif %}
    {{ return(dbt.duckdb__alter_column_comment(relation, column_dict)) }}
{% endmacro %}
