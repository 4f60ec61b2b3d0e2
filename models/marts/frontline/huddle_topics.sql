{% set of_week = ['team', 'period_start'] %}

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

contacts_of_detractors as (

    select
        team,
        period_start,
        cast(sum(case when not is_resolved then 1 else 0 end) as bigint) as unresolved,
        cast(sum(case when transfers > 0 then 1 else 0 end) as bigint) as transferred
    from detractors
    group by team, period_start

),

headlines as (

    select * from {{ ref('huddle_headlines') }}

),

focus as (

    select * from {{ ref('huddle_focus') }}

),

themes as (

    select * from {{ ref('team_week_themes') }}

),

topics as (

    {% for relation, topic, subject, value in [
        ('headlines', 'headline', 'certainty', 'responses'),
        ('contacts_of_detractors', 'detractors', "'unresolved'", 'unresolved'),
        ('contacts_of_detractors', 'detractors', "'transferred'", 'transferred'),
        ('focus', 'cases', "'newly overdue'", 'newly_overdue_cases'),
        ('focus', 'cases', "'overdue'", 'overdue_cases'),
        ('focus', 'pain point', 'pain_point_class', 'pain_point_mentions'),
        ('focus', 'driver', 'driver', 'driver_responses'),
    ] -%}
        select
            {{ of_week | join(', ') }},
            '{{ topic }}' as topic,
            {{ subject }} as subject,
            {{ value }} as topic_value
        from {{ relation }}
        where {{ value }} > 0
        union all
    {% endfor -%}
    {%- for topic, sign, value in [
        ('complaint', -1, 'detractor_mentions'), ('praise', 1, 'promoter_mentions'),
    ] -%}
        select
            {{ of_week | join(', ') }},
            '{{ topic }}' as topic,
            family as subject,
            cast(sum({{ value }}) as bigint) as topic_value
        from themes
        where
            coalesce(sign, -1) = {{ sign }}
            and {{ value }} > 0
        group by {{ of_week | join(', ') }}, family
        {{- "
        union all
        " if not loop.last }}
    {% endfor %}

)

select
    {{ of_week | join(', ') }},
    topic,
    subject,
    topic_value
from topics
