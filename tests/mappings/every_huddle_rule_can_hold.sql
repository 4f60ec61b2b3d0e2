{{ config(severity='warn') }}
-- What: every rule of the seed huddle_actions asks for a topic and a subject that there can be.
-- When it matters: a mistyped one never holds, and another action is suggested for years.
-- How to resolve: operations correct topic or subject in huddle_actions; its description lists them.
with

known as (

    {% for topic, subjects in {
        'cases': ['overdue', 'newly overdue'],
        'detractors': ['unresolved', 'transferred'],
        'headline': [
            'too few answers', 'not over', 'nothing to compare', 'no evidence', 'up', 'down',
        ],
        'pain point': ['structural', 'watch', 'noise'],
        'complaint': [],
        'praise': [],
        'driver': [],
    }.items() -%}
        {% for subject in ['*'] + subjects -%}
            select
                '{{ topic }}' as topic,
                '{{ subject }}' as subject
            union all
        {% endfor -%}
    {% endfor -%}
    select
        signs.topic,
        themes.family as subject
    from {{ ref('themes') }} as themes
    cross join (
        select 'complaint' as topic
        union all
        select 'praise' as topic
    ) as signs
    group by signs.topic, themes.family
    union all
    select
        'driver' as topic,
        driver as subject
    from {{ ref('driver_bands') }}
    group by driver

)

select
    actions.rule_id,
    actions.topic,
    actions.subject
from {{ ref('huddle_actions') }} as actions
left join known
    on
        actions.topic = known.topic
        and actions.subject = known.subject
where known.topic is null
