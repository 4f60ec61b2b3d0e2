{# Instants given as vars, read by the rule for every timestamp of the contract. #}

{# Var text to `{'wall_time': …, 'is_utc': …}`, or none when it is no ISO 8601 timestamp. #}
{% macro parsed_var_instant(name) %}
    {% set iso = '^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}([.,]\d{1,6})?)?(Z|[+-]\d{2}(:?\d{2})?)?)?$' %}
    {% set text = var(name) | string %}
    {% if not modules.re.match(iso, text) %}{% do return(none) %}{% endif %}
    {% set instant = modules.datetime.datetime.fromisoformat(text.replace(',', '.')) %}
    {% if instant.tzinfo is none %}
        {% do return({'wall_time': instant.isoformat(' '), 'is_utc': false}) %}
    {% endif %}
    {% set utc = instant.astimezone(modules.pytz.utc).replace(tzinfo=none) %}
    {% do return({'wall_time': utc.isoformat(' '), 'is_utc': true}) %}
{% endmacro %}

{# SQL of the instant a var holds. #}
{% macro instant_of_var(name) -%}
    {%- set instant = parsed_var_instant(name) -%}
    {%- set literal = "timestamp '" ~ instant.wall_time ~ "'" -%}
    {{ literal if instant.is_utc else local_to_utc(literal) }}
{%- endmacro %}

{% macro latest_possible_instant() -%}
    {%- if var('as_of') is none -%}
        {{ instant_of_var('nps_latest') }}
    {%- else -%}
        least({{ instant_of_var('nps_latest') }}, {{ instant_of_var('as_of') }})
    {%- endif -%}
{%- endmacro %}
