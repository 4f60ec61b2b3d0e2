{% set charts = chart_signals() %}

with

points as (

    select * from {{ ref('chart_points') }}

),

judged as (

    select
        scope_type,
        scope_id,
        survey_type,
        charted_on,
        {% for chart, sides in charts.items() -%}
            case
                when {{ sides[0] }} then 'up'
                when {{ sides[1] }} then 'down'
            end as {{ chart }}_signal,
        {% endfor -%}
        place
    from points

),

named as (

    select
        *,
        case
            {% for chart in charts -%}
                when {{ chart }}_signal is not null then '{{ chart }}'
            {% endfor -%}
        end as signal_kind,
        coalesce(
            {{ charts | join('_signal, ') }}_signal
        ) as signal_direction
    from judged

),

signals as (

    select
        *,
        lag(place) over (
            partition by scope_type, scope_id, survey_type
            order by place
        ) as previous_place,
        lag(signal_direction) over (
            partition by scope_type, scope_id, survey_type
            order by place
        ) as previous_direction
    from named
    where signal_kind is not null

),

-- A run: charted days in a row that signal in one direction, whichever chart it is.
runs as (

    select
        *,
        max(
            case
                when previous_place = place - 1 and previous_direction = signal_direction then null
                else charted_on
            end
        ) over (
            partition by scope_type, scope_id, survey_type
            order by place
            rows between unbounded preceding and current row
        ) as signal_started_on
    from signals

)

select
    runs.scope_type,
    runs.scope_id,
    runs.survey_type,
    runs.charted_on,
    {% for chart in charts -%}
        runs.{{ chart }}_signal,
    {% endfor -%}
    runs.signal_kind,
    runs.signal_direction,
    runs.signal_started_on,
    first_days.signal_kind as signal_started_by
from runs
inner join runs as first_days
    on
        {{ same(scope_key(), 'runs', 'first_days') }}
        and runs.signal_started_on = first_days.charted_on
