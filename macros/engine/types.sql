{# Raw columns are text, except that a typed Parquet column keeps its real type on DuckDB. The
   test is constant for a column, so the engine drops the branch that does not apply. #}
{% macro is_typed(column, type) -%}
    {{ adapter.dispatch('is_typed')(column, type) }}
{%- endmacro %}

{% macro default__is_typed(column, type) -%}
    typeof({{ column }}) = '{{ type | upper }}'
{%- endmacro %}

{# The text of a raw column, trimmed; null where the column is typed. #}
{% macro text_of_raw(column) -%}
    case
        when {{ is_typed(column, 'varchar') }}
            then {{ trimmed('cast(' ~ column ~ ' as ' ~ engine_type('varchar') ~ ')') }}
    end
{%- endmacro %}

{# A finite number that is no less than `at_least` (none: any sign). #}
{% macro finite_number(value, at_least) -%}
    {{ adapter.dispatch('finite_number')(value, at_least) }}
{%- endmacro %}

{% macro default__finite_number(value, at_least) -%}
    case
        when isfinite({{ try_cast(value, 'double') }})
            {%- if at_least is not none %}
            and {{ try_cast(value, 'double') }} >= {{ at_least }}
            {%- endif %}
            then {{ try_cast(value, 'double') }}
    end
{%- endmacro %}

{# A whole number, given as one, that lies in its range (none: no upper end). #}
{% macro whole_number(value, at_least, at_most) -%}
    {%- set whole = try_cast(value, 'bigint') -%}
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
    {{ adapter.dispatch('double_type')() }}
{%- endmacro %}

{% macro default__double_type() -%}
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
    {{ adapter.dispatch('sum_of_doubles')(value, over) }}
{%- endmacro %}

{% macro default__sum_of_doubles(value, over) -%}
    cast(
        sum(cast({{ value }} as decimal(38, 15)))
        {%- if over is not none %} over ({{ over }}){% endif %} as {{ double_type() }}
    )
{%- endmacro %}

{# Stands between `as` and a CTE that is computed once and kept. Where CTEs follow on one another by
   the dozen DuckDB plans for ever without: four windows more double its time. #}
{% macro materialized() -%}
    {{ adapter.dispatch('materialized')() }}
{%- endmacro %}

{% macro default__materialized() -%}
    materialized
{%- endmacro %}

{# The engine's own name of a type that is written as DuckDB writes it, in contracts and casts. #}
{% macro engine_type(type) -%}
    {{ return(adapter.dispatch('engine_type')(type)) }}
{%- endmacro %}

{% macro default__engine_type(type) -%}
    {{ return(type) }}
{%- endmacro %}

{# A value as a type, null where it can't be one. #}
{% macro try_cast(value, type) -%}
    {{ return(adapter.dispatch('try_cast')(value, type)) }}
{%- endmacro %}

{% macro default__try_cast(value, type) -%}
    {{ return('try_cast(' ~ value ~ ' as ' ~ type ~ ')') }}
{%- endmacro %}

{# A number of type double as text, as DuckDB writes it: 50.0. #}
{% macro text_of_double(value) -%}
    {{ adapter.dispatch('text_of_double')(value) }}
{%- endmacro %}

{% macro default__text_of_double(value) -%}
    cast({{ value }} as varchar)
{%- endmacro %}

{# Stands at the end of a CTE whose expressions are dear and used more than once: an engine that would
   put them where they are used, and compute them each time, is kept from it. #}
{% macro computed_once() -%}
    {{ adapter.dispatch('computed_once')() }}
{%- endmacro %}

{% macro default__computed_once() -%}
{%- endmacro %}
