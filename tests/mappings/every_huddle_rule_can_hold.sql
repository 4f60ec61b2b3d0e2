{{ config(severity='warn') }}
-- What: every rule of the seed huddle_actions asks for a topic and a subject that there can be.
-- When it matters: a mistyped one never holds, and another action is suggested.
-- How to resolve: operations correct it in huddle_actions, whose description lists them.
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
    {% for topic in ['complaint', 'praise'] -%}
        select
            '{{ topic }}' as topic,
            family as subject
        from {{ ref('themes') }}
        group by family
        union all
    {% endfor -%}
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
