{# First date of the period directly before, of the same type; `all` has none. #}
{% macro previous_period_start(period_type, first_date) -%}
    cast(
        case {{ period_type }}
            when 'day' then {{ plus_days(first_date, -1) }}
            when 'week' then {{ plus_days(first_date, -7) }}
            when 'month' then {{ plus_months(first_date, -1) }}
            when 'quarter' then {{ plus_months(first_date, -3) }}
            when 'year' then {{ plus_months(first_date, -12) }}
        end as date
    )
{%- endmacro %}

{# First date of the same period of the year before; `all` has none. A day is compared with the same
   weekday 364 days before. A week is compared with the week of the same ISO number, which lies 364
   days before, or 371 where the year before has a week 53; week 53 has no such week, for no two
   years in a row have one. #}
{% macro previous_year_start(period_type, first_date) -%}
    {%- set number_of_week = 'extract(week from ' ~ first_date ~ ')' -%}
    cast(
        case
            when {{ period_type }} = 'day' then {{ plus_days(first_date, -364) }}
            when
                {{ period_type }} = 'week'
                and extract(week from {{ plus_days(first_date, -364) }}) = {{ number_of_week }}
                then {{ plus_days(first_date, -364) }}
            when
                {{ period_type }} = 'week'
                and extract(week from {{ plus_days(first_date, -371) }}) = {{ number_of_week }}
                then {{ plus_days(first_date, -371) }}
            when {{ period_type }} in ('month', 'quarter', 'year')
                then {{ plus_months(first_date, -12) }}
        end as date
    )
{%- endmacro %}
