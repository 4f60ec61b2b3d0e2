with

signals as (

    select * from {{ ref('huddle_signals') }}

),

actions as (

    select * from {{ ref('huddle_actions') }}

),

-- A rule holds where its topic is there, its subject is that (`*`: of any), and large enough.
holding as (

    select
        signals.team,
        signals.period_start,
        signals.subject,
        signals.signal_value,
        actions.rule_id,
        actions.priority,
        actions.topic,
        actions.action,
        actions.owner
    from signals
    inner join actions
        on signals.topic = actions.topic
    where
        actions.subject in ('*', signals.subject)
        and signals.signal_value >= actions.at_least

),

-- The first rule by priority; of several subjects that it holds of, the largest.
ordered as (

    select
        *,
        row_number() over (
            partition by team, period_start
            order by priority asc, rule_id asc, signal_value desc, subject asc
        ) as place
    from holding

)

select
    team,
    period_start,
    rule_id,
    topic,
    subject,
    signal_value,
    action,
    owner
from ordered
where place = 1
