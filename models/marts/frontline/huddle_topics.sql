with

detractors as (

    select
        team,
        {{ period_start('week', 'period_date') }} as period_start,
        is_resolved,
        transfers
    from {{ ref('fct_survey_responses') }}
    where nps_category = 'detractor'

),

headlines as (

    select * from {{ ref('huddle_headlines') }}

),

counted as (

    select
        team,
        period_start,
        cast(sum(case when not is_resolved then 1 else 0 end) as bigint) as unresolved,
        cast(sum(case when transfers > 0 then 1 else 0 end) as bigint) as transferred
    from detractors
    group by team, period_start

),

topics as (

    {% for measure in ['unresolved', 'transferred'] -%}
        select
            team,
            period_start,
            'detractors' as topic,
            '{{ measure }}' as subject,
            {{ measure }} as topic_value
        from counted
        where {{ measure }} > 0
        union all
    {% endfor -%}
    select
        team,
        period_start,
        'headline' as topic,
        certainty as subject,
        responses as topic_value
    from headlines

)

select
    team,
    period_start,
    topic,
    subject,
    cast(topic_value as bigint) as topic_value
from topics
