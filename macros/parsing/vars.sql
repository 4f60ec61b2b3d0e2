{# Instants given as vars, read by the rule for every timestamp of the contract. #}

{# Var text to `{'wall_time': …, 'is_utc': …}`, or none when it is no ISO 8601 timestamp. #}
{% macro parsed_var_instant(name) %}
    {% set text = var(name) | string %}
    {# Dates that do not exist have to be seen here: Python's parser would raise. #}
    {% set iso_date = '\d{4}-(?:' ~ (
        '(?:0[13578]|1[02])-(?:0[1-9]|[12]\d|3[01])',
        '(?:0[469]|11)-(?:0[1-9]|[12]\d|30)',
        '02-(?:0[1-9]|1\d|2[0-9])',
    ) | join('|') ~ ')' %}
    {% set iso_time = '(?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:[.,]\d{1,6})?)?' %}
    {% set iso_offset = '(?:Z|[+-](?:[01]\d|2[0-3])(?::?[0-5]\d)?)?' %}
    {% set iso = '^' ~ iso_date ~ '(?:[T ]' ~ iso_time ~ iso_offset ~ ')?$' %}
    {% set year = text[:4] | int(0) %}
    {% set is_leap_year = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) %}
    {% if year == 0 or (text[5:10] == '02-29' and not is_leap_year) %}{% do return(none) %}{% endif %}
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
    {#- What is no instant is refused before the first model runs; parsing has to get that far. -#}
    {%- set instant = parsed_var_instant(name) or {'wall_time': '2000-01-01', 'is_utc': true} -%}
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
