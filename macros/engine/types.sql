{# Raw columns are text, except that a typed Parquet column keeps its real type on DuckDB. The
   test is constant for a column, so the engine drops the branch that does not apply. #}
{% macro is_typed(column, type) -%}
    typeof({{ column }}) = '{{ type | upper }}'
{%- endmacro %}

{# The text of a raw column, trimmed; null where the column is typed. #}
{% macro text_of_raw(column) -%}
    case
        when {{ is_typed(column, 'varchar') }}
            then {{ trimmed('cast(' ~ column ~ ' as varchar)') }}
    end
{%- endmacro %}

{# A finite number that is no less than `at_least` (none: any sign). #}
{% macro finite_number(value, at_least) -%}
    case
        when isfinite(try_cast({{ value }} as double))
            {%- if at_least is not none %}
            and try_cast({{ value }} as double) >= {{ at_least }}
            {%- endif %}
            then try_cast({{ value }} as double)
    end
{%- endmacro %}

{# A whole number, given as one, that lies in its range (none: no upper end). #}
{% macro whole_number(value, at_least, at_most) -%}
    {%- set whole = 'try_cast(' ~ value ~ ' as bigint)' -%}
    case
        when {{ whole }} >= {{ at_least }}
            {%- if at_most is not none %}
            and {{ whole }} <= {{ at_most }}
            {%- endif %}
            then {{ whole }}
    end
{%- endmacro %}

{# The engine's 64-bit floating point type. dbt's own `type_float` has 32 bits on DuckDB. #}
{% macro double_type() -%}
    double
{%- endmacro %}

{# A literal of that type; some engines take a plain 0.5 for a decimal. #}
{% macro double_literal(number) -%}
    cast({{ number }} as {{ double_type() }})
{%- endmacro %}

{# Sum of doubles that is the same to the bit in any order, so on any number of threads: added up
   as decimals of fifteen places (a sum of doubles depends on the order of its terms). Terms and sum
   have to stay under 1e22. `over` makes it a window's. #}
{% macro sum_of_doubles(value, over=none) -%}
    cast(
        sum(cast({{ value }} as decimal(38, 15)))
        {%- if over is not none %} over ({{ over }}){% endif %} as {{ double_type() }}
    )
{%- endmacro %}

{# Stands between `as` and a CTE that is computed once and kept. Where CTEs follow on one another by
   the dozen DuckDB plans for ever without: four windows more double its time. #}
{% macro materialized() -%}
    materialized
{%- endmacro %}
