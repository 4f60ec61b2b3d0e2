with

signals as (

    select * from {{ ref('chart_signals') }}

),

as_of as (

    select * from {{ ref('as_of') }}

),

periods as (

    {% for period_type in ['day', 'week', 'month', 'quarter', 'year'] -%}
        select
            signals.*,
            '{{ period_type }}' as period_type,
            {{ period_start(period_type, 'signals.charted_on') }} as period_start
        from signals
        union all
    {% endfor -%}
    select
        signals.*,
        'all' as period_type,
        as_of.first_response_date as period_start
    from signals
    cross join as_of

),

counted as (

    select
        *,
        count(*) over (
            partition by scope_type, scope_id, survey_type, period_type, period_start
        ) as signal_days,
        row_number() over (
            partition by scope_type, scope_id, survey_type, period_type, period_start
            order by charted_on
        ) as signal_number
    from periods

)

select
    scope_type,
    scope_id,
    survey_type,
    period_type,
    period_start,
    signal_days,
    charted_on as first_signal_on,
    signal_kind as first_signal_kind,
    signal_direction as first_signal_direction,
    signal_started_on as first_signal_started_on
from counted
where signal_number = 1
