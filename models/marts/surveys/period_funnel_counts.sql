{% set counts = funnel_counts().keys() %}
{% set group_keys = 'scope_type, scope_id, survey_type' %}

with

as_of as (

    select * from {{ ref('as_of') }}

),

span as (

    select * from {{ ref('invitation_span') }}

),

daily as (

    {% for survey_type in ['survey_type', "'all'"] -%}
        select
            scope_type,
            scope_id,
            {{ survey_type }} as survey_type,
            sent_date,
            {{ summed_bigints(counts) }}
        from {{ ref('daily_funnel_counts') }}
        group by scope_type, scope_id, {{ 'survey_type, ' if loop.first }}sent_date
        {{- "
        union all
        " if not loop.last }}
    {% endfor %}

),

periods as (

    {% for period_type in ['day', 'week', 'month', 'quarter', 'year'] -%}
        select
            {{ group_keys }},
            '{{ period_type }}' as period_type,
            {{ period_start(period_type, 'sent_date') }} as period_start,
            {{ period_end(period_type, period_start(period_type, 'sent_date')) }} as period_end,
            {{ summed_bigints(counts) }}
        from daily
        group by {{ group_keys }}, {{ period_start(period_type, 'sent_date') }}
        union all
    {% endfor -%}
    select
        {{ group_keys }},
        'all' as period_type,
        span.first_date as period_start,
        span.last_date as period_end,
        {{ summed_bigints(counts) }}
    from daily
    cross join span
    group by {{ group_keys }}, span.first_date, span.last_date

)

select
    periods.scope_type,
    periods.scope_id,
    periods.survey_type,
    periods.period_type,
    periods.period_start,
    periods.period_end,
    periods.period_end < as_of.as_of_date as is_complete,
    {{ counts | join(',\n    ') }}
from periods
cross join as_of
