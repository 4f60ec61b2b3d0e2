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
