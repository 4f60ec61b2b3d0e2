{# Last date of a period whose type is a column: month, quarter, year, or `all`, which ends with the
   last answer.

   last_date: SQL of that answer's date. #}
{% macro end_of_period(period_type, first_date, last_date) -%}
    case {{ period_type }}
        {% for name in ['month', 'quarter', 'year'] -%}
            when '{{ name }}' then {{ period_end(name, first_date) }}
        {% endfor -%}
        else {{ last_date }}
    end
{%- endmacro %}
