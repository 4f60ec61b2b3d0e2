{#- Rows of the facts. -#}
{% for table in tables -%}
    select
        '{{ table }}' as table_name,
        '' as column_name,
        '' as part,
        count(*) as value,
        count(*) as volume
    from marts.{{ table }}
    {% if not loop.last %}union all
    {% endif -%}
{% endfor %}
