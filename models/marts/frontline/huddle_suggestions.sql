with

topics as (

    select * from {{ ref('huddle_topics') }}

),

actions as (

    select * from {{ ref('huddle_actions') }}

),

-- A rule holds where its topic is there, its subject is that (`*`: of any), and large enough.
holding as (

    select
        topics.team,
        topics.period_start,
        topics.subject,
        topics.topic_value,
        actions.rule_id,
        actions.priority,
        actions.topic,
        actions.action,
        actions.owner
    from topics
    inner join actions
        on topics.topic = actions.topic
    where
        actions.subject in ('*', topics.subject)
        and topics.topic_value >= actions.at_least

),

-- The first rule by priority; of several subjects that it holds of, the largest.
ordered as (

    select
        *,
        row_number() over (
            partition by team, period_start
            order by priority asc, rule_id asc, topic_value desc nulls last, subject asc
        ) as place
    from holding

)

select
    team,
    period_start,
    rule_id,
    topic,
    subject,
    topic_value,
    action,
    owner
from ordered
where place = 1
