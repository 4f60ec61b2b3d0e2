{# All rows of a key have the same value in each of the columns, or none of them has one. #}
{% test one_value_per(model, key, columns) %}
    select {{ key }}
    from {{ model }}
    group by {{ key }}
    having
        {% for column in columns -%}
            min({{ column }}) <> max({{ column }})
            or count({{ column }}) not in (0, count(*))
            {%- if not loop.last %} or {% endif %}
        {% endfor %}
{% endtest %}
