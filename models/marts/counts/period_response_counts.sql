{% set group_keys = 'scope_type, scope_id, second_scope_id, survey_type' %}
-- Longer periods are added up from shorter ones: each names the one it is made of.
{% set made_of = {'week': 'day', 'month': 'day', 'quarter': 'month', 'year': 'quarter'} %}

with

as_of as (

    select * from {{ ref('as_of') }}

),

day_counts as (

    {% for survey_type in ['survey_type', "'all'"] -%}
        select
            scope_type,
            scope_id,
            second_scope_id,
            {{ survey_type }} as survey_type,
            period_date as period_start,
            {{ summed_counts() }}
        from {{ ref('daily_response_counts') }}
        group by scope_type, scope_id, second_scope_id, {{ survey_type }}, period_date
        {{- "
        union all
        " if not loop.last }}
    {% endfor %}

),

{% for period_type, shorter in made_of.items() -%}
    {{ period_type }}_counts as (

        select
            {{ group_keys }},
            {{ period_start(period_type, 'period_start') }} as period_start,
            {{ summed_counts() }}
        from {{ shorter }}_counts
        group by {{ group_keys }}, {{ period_start(period_type, 'period_start') }}

    ),

{% endfor -%}
all_counts as (

    select
        {{ group_keys }},
        {{ summed_counts() }}
    from year_counts
    group by {{ group_keys }}

),

periods as (

    {% for period_type in ['day', 'week', 'month', 'quarter', 'year'] -%}
        select
            '{{ period_type }}' as period_type,
            period_start,
            {{ period_end(period_type, 'period_start') }} as period_end,
            {{ group_keys }},
            responses,
            promoters,
            passives,
            detractors
        from {{ period_type }}_counts
        union all
    {% endfor -%}
    select
        'all' as period_type,
        as_of.first_response_date as period_start,
        as_of.last_response_date as period_end,
        all_counts.*
    from all_counts
    cross join as_of

)

select
    periods.scope_type,
    periods.scope_id,
    periods.second_scope_id,
    periods.survey_type,
    periods.period_type,
    periods.period_start,
    periods.period_end,
    periods.period_end < as_of.as_of_date as is_complete,
    periods.responses,
    periods.promoters,
    periods.passives,
    periods.detractors
from periods
cross join as_of
