with

daily as (

    select * from {{ ref('daily_theme_counts') }}
    where theme <> ''

)

{% for survey_type in ['survey_type', "'all'"] -%}
    select
        scope_type,
        scope_id,
        {{ survey_type }} as survey_type,
        theme,
        min(period_date) as first_said_on
    from daily
    group by scope_type, scope_id, theme{{ ', survey_type' if loop.first }}
    {{- "
    union all
    " if not loop.last }}
{% endfor %}
