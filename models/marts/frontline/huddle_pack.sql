{% set of_week = ['team', 'period_start'] %}
{% set signs = ['positive', 'negative'] %}

with

headlines as (

    select * from {{ ref('huddle_headlines') }}

),

focus as (

    select * from {{ ref('huddle_focus') }}

),

suggestions as (

    select * from {{ ref('huddle_suggestions') }}

),

verbatims as (

    select
        {{ of_week | join(', ') }},
        {% for sign in signs -%}
            {% for place in [1, 2, 3] -%}
                max(case when sign = '{{ sign }}' and place = {{ place }} then comment end)
                    as verbatim_{{ sign }}_{{ place }},
            {% endfor -%}
        {% endfor -%}
        count(*) as verbatims
    from {{ ref('huddle_verbatims') }}
    group by {{ of_week | join(', ') }}

)

select
    headlines.team,
    focus.department_id,
    headlines.period_start,
    headlines.period_end,
    headlines.is_complete,
    headlines.headline,
    headlines.certainty,
    {{ prefixed(nps_block_names(), 'headlines') }},
    {{ prefixed(
        ['recent_responses', 'recent_nps', 'recent_nps_ci_low', 'recent_nps_ci_high']
        + ['recent_is_reportable'],
        'headlines',
    ) }},
    {% for other in ['week_before', 'four_weeks_before'] -%}
        {% for figure in [
            'responses', 'nps', 'nps_change', 'nps_change_ci_low', 'nps_change_ci_high',
            'adjusted_p_value', 'verdict',
        ] -%}
            headlines.{{ other }}_{{ figure }},
        {% endfor -%}
    {% endfor -%}
    {% for sign in signs -%}
        {% for place in [1, 2, 3] -%}
            verbatims.verbatim_{{ sign }}_{{ place }},
        {% endfor -%}
    {% endfor -%}
    {{ prefixed(
        ['overdue_cases', 'newly_overdue_cases', 'pain_point', 'pain_point_class']
        + ['pain_point_mentions', 'pain_point_team_mentions', 'praise', 'praise_mentions']
        + ['driver_month', 'driver', 'driver_band', 'driver_responses', 'driver_difference'],
        'focus',
    ) }},
    suggestions.rule_id as action_rule_id,
    suggestions.topic as action_topic,
    suggestions.subject as action_subject,
    suggestions.topic_value as action_topic_value,
    suggestions.action,
    suggestions.owner as action_owner
from headlines
inner join focus
    on {{ same(of_week, 'headlines', 'focus') }}
left join suggestions
    on {{ same(of_week, 'headlines', 'suggestions') }}
left join verbatims
    on {{ same(of_week, 'headlines', 'verbatims') }}
