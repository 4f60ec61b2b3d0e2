{% set up_to_now %}
    partition by calendar_id
    order by open_microseconds, is_opening, response_id
    rows between unbounded preceding and current row
{% endset %}

with

openings as (

    select * from {{ ref('business_openings') }}

),

-- How far a calendar's clock has run when a case is due.
due as (

    select
        opened.response_id,
        opened.calendar_id,
        opened.opened_microseconds
        + cast(ranks.sla_hours * 3600000000 as bigint) as open_microseconds
    from {{ ref('case_clocks') }} as opened
    inner join {{ ref('case_priorities') }} as priorities
        on opened.response_id = priorities.response_id
    inner join {{ ref('priority_ranks') }} as ranks
        on priorities.priority_rule = ranks.rule_number
    where ranks.sla_hours is not null

),

-- An opening that begins at exactly that point comes after: time that runs out at the close of a
-- day is due then, not the next morning.
merged as (

    select
        calendar_id,
        microseconds_before as open_microseconds,
        1 as is_opening,
        null as response_id,
        opens_at,
        closes_at,
        microseconds_before
    from openings
    union all
    select
        calendar_id,
        open_microseconds,
        0 as is_opening,
        response_id,
        null as opens_at,
        null as closes_at,
        null as microseconds_before
    from due

),

placed as (

    select
        response_id,
        is_opening,
        max(opens_at) over ({{ up_to_now }}) as last_opens_at,
        max(closes_at) over ({{ up_to_now }}) as last_closes_at,
        open_microseconds - max(microseconds_before) over ({{ up_to_now }}) as microseconds_left
    from merged

),

dated as (

    select
        response_id,
        {{ plus_microseconds('last_opens_at', 'microseconds_left') }} as due_at,
        last_closes_at
    from placed
    where is_opening = 0

)

select
    response_id,
    due_at
from dated
-- Past the calendar's end no deadline is known.
where due_at <= last_closes_at
