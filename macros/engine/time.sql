{# Instants are timestamps in UTC without a zone. What engines spell differently stands here. #}

{# Local wall time in the var nps_timezone, as an instant. A doubled hour is the later one, a
   skipped one moves forward by the gap: the rule of the engine's time zone library. #}
{% macro local_to_utc(local_timestamp) -%}
    {%- if var('nps_timezone') == 'UTC' -%}
        {{ local_timestamp }}
    {%- else -%}
        {{ zone_time_to_utc("'" ~ var('nps_timezone') ~ "'", local_timestamp) }}
    {%- endif -%}
{%- endmacro %}

{# An instant as wall time in the var nps_timezone. #}
{% macro utc_to_local(instant) -%}
    {%- if var('nps_timezone') == 'UTC' -%}
        {{ instant }}
    {%- else -%}
        {{ utc_to_zone_time("'" ~ var('nps_timezone') ~ "'", instant) }}
    {%- endif -%}
{%- endmacro %}

{% macro local_date(instant) -%}
    cast({{ utc_to_local(instant) }} as date)
{%- endmacro %}

{# Weekday (Monday 1 … Sunday 7) and hour of an instant's wall time. #}
{% macro local_weekday(instant) -%}
    {{ iso_weekday(utc_to_local(instant)) }}
{%- endmacro %}

{% macro local_hour(instant) -%}
    cast(extract(hour from {{ utc_to_local(instant) }}) as integer)
{%- endmacro %}

{% macro plus_minutes(instant, minutes) -%}
    {{ adapter.dispatch('plus_minutes')(instant, minutes) }}
{%- endmacro %}

{% macro default__plus_minutes(instant, minutes) -%}
    {{ instant }} + to_minutes({{ minutes }})
{%- endmacro %}

{# ISO weekday: Monday 1 … Sunday 7. #}
{% macro iso_weekday(date) -%}
    {{ adapter.dispatch('iso_weekday')(date) }}
{%- endmacro %}

{% macro default__iso_weekday(date) -%}
    cast(isodow({{ date }}) as integer)
{%- endmacro %}

{# First date of the day, ISO week, month, quarter or year a date is in. #}
{% macro period_start(period_type, date) -%}
    {{ adapter.dispatch('period_start')(period_type, date) }}
{%- endmacro %}

{% macro default__period_start(period_type, date) -%}
    cast(date_trunc('{{ period_type }}', {{ date }}) as date)
{%- endmacro %}

{# Last date of the period that begins on the given date. #}
{% macro period_end(period_type, first_date) -%}
    {%- set lengths = {
        'day': "interval '1 day'", 'week': "interval '7 days'", 'month': "interval '1 month'",
        'quarter': "interval '3 months'", 'year': "interval '1 year'",
    } -%}
    cast({{ first_date }} + {{ lengths[period_type] }} - interval '1 day' as date)
{%- endmacro %}

{# A timestamp that knows its zone, as an instant. #}
{% macro zoned_to_utc(zoned_timestamp) -%}
    {{ adapter.dispatch('zoned_to_utc')(zoned_timestamp) }}
{%- endmacro %}

{% macro default__zoned_to_utc(zoned_timestamp) -%}
    timezone('UTC', {{ try_cast(zoned_timestamp, 'timestamp with time zone') }})
{%- endmacro %}

{% macro plus_days(date, days) -%}
    {{ adapter.dispatch('plus_days')(date, days) }}
{%- endmacro %}

{% macro default__plus_days(date, days) -%}
    {{ date }} + to_days(cast({{ days }} as integer))
{%- endmacro %}

{% macro plus_months(date, months) -%}
    {{ adapter.dispatch('plus_months')(date, months) }}
{%- endmacro %}

{% macro default__plus_months(date, months) -%}
    {{ date }} + to_months(cast({{ months }} as integer))
{%- endmacro %}

{# The last instant of a local date. #}
{% macro end_of_local_date(date) -%}
    {{ local_to_utc('cast(' ~ plus_days(date, 1) ~ ' as timestamp)') }} - interval '1 microsecond'
{%- endmacro %}

{# Whole days from one date to another. #}
{% macro days_between(earlier, later) -%}
    {{ adapter.dispatch('days_between')(earlier, later) }}
{%- endmacro %}

{% macro default__days_between(earlier, later) -%}
    date_diff('day', {{ earlier }}, {{ later }})
{%- endmacro %}

{# Hours from one instant to a later one, with their fraction. #}
{% macro hours_between(earlier, later) -%}
    cast({{ microseconds_between(earlier, later) }} as {{ double_type() }}) / 3600000000
{%- endmacro %}

{# The second an instant lies in. #}
{% macro second_of(instant) -%}
    date_trunc('second', {{ instant }})
{%- endmacro %}

{# Wall time of a zone that is a column, as an instant; doubled and skipped hours as above. #}
{% macro zone_time_to_utc(zone, local_timestamp) -%}
    {{ adapter.dispatch('zone_time_to_utc')(zone, local_timestamp) }}
{%- endmacro %}

{% macro default__zone_time_to_utc(zone, local_timestamp) -%}
    timezone('UTC', timezone({{ zone }}, {{ local_timestamp }}))
{%- endmacro %}

{# An instant as wall time of a zone that is SQL. #}
{% macro utc_to_zone_time(zone, instant) -%}
    {{ adapter.dispatch('utc_to_zone_time')(zone, instant) }}
{%- endmacro %}

{% macro default__utc_to_zone_time(zone, instant) -%}
    timezone({{ zone }}, timezone('UTC', {{ instant }}))
{%- endmacro %}

{# Minutes since midnight of a text such as 08:30 or 24:00. #}
{% macro minutes_of_day(time) -%}
    (
        60 * cast(split_part({{ time }}, ':', 1) as integer)
        + cast(split_part({{ time }}, ':', 2) as integer)
    )
{%- endmacro %}

{# The names of the time zones that the engine knows, as rows of one column, `zone`. #}
{% macro known_zones() -%}
    {{ adapter.dispatch('known_zones')() }}
{%- endmacro %}

{% macro default__known_zones() -%}
    select name as zone from pg_timezone_names()
{%- endmacro %}

{# Whole microseconds from one instant to another, and an instant so much later. #}
{% macro microseconds_between(earlier, later) -%}
    {{ adapter.dispatch('microseconds_between')(earlier, later) }}
{%- endmacro %}

{% macro default__microseconds_between(earlier, later) -%}
    date_diff('microsecond', {{ earlier }}, {{ later }})
{%- endmacro %}

{% macro plus_microseconds(instant, microseconds) -%}
    {{ adapter.dispatch('plus_microseconds')(instant, microseconds) }}
{%- endmacro %}

{% macro default__plus_microseconds(instant, microseconds) -%}
    {{ instant }} + to_microseconds({{ microseconds }})
{%- endmacro %}
