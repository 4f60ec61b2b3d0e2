{#- Smallest and greatest value of every column that has a published range. -#}
{% for table, column in columns -%}
    select
        '{{ table }}' as table_name,
        '{{ column }}' as column_name,
        'smallest' as part,
        cast(min({{ column }}) as {{ double_type() }}) as value,
        count({{ column }}) as volume
    from marts.{{ table }}
    union all
    select
        '{{ table }}' as table_name,
        '{{ column }}' as column_name,
        'greatest' as part,
        cast(max({{ column }}) as {{ double_type() }}) as value,
        count({{ column }}) as volume
    from marts.{{ table }}
    {% if not loop.last %}union all
    {% endif -%}
{% endfor %}
