-- Ranges of one agent must not overlap: the earlier valid_from stays, and the next range that may
-- stay is the first that begins when it has ended. Which ranges stay is therefore a chain from
-- the agent's first range on. It is followed, for agents with an overlap, by doubled pointers:
-- {{ 2 ** 10 }} ranges in ten joins.
{% set steps = 10 %}

with

assignments as (

    {{ newest_versions('agent_assignments') }}

),

ranges as (

    select
        *,
        row_number() over (partition by agent_id order by valid_from) as range_number
    from assignments
    where valid_to is null or valid_to > valid_from

),

neighbours as (

    select
        agent_id,
        valid_to,
        lead(valid_from) over (partition by agent_id order by valid_from) as next_valid_from
    from ranges

),

agents_with_overlap as (

    select agent_id
    from neighbours
    where
        next_valid_from is not null
        and (valid_to is null or valid_to > next_valid_from)
    group by agent_id

),

contested as (

    select ranges.*
    from ranges
    inner join agents_with_overlap
        on ranges.agent_id = agents_with_overlap.agent_id

),

successors as (

    select
        here.agent_id,
        here.range_number,
        min(later.range_number) as next_number
    from contested as here
    left join contested as later
        on
            here.agent_id = later.agent_id
            and here.valid_to <= later.valid_from
    group by here.agent_id, here.range_number

),

jump_0 as (

    select
        agent_id,
        range_number,
        next_number
    from successors

),

{% for step in range(1, steps) -%}
    jump_{{ step }} as (

        select
            here.agent_id,
            here.range_number,
            beyond.next_number
        from jump_{{ step - 1 }} as here
        inner join jump_{{ step - 1 }} as beyond
            on
                here.agent_id = beyond.agent_id
                and here.next_number = beyond.range_number

    ),

{% endfor -%}
stays_0 as (

    select
        agent_id,
        range_number
    from contested
    where range_number = 1

),

{% for step in range(1, steps + 1) -%}
    stays_{{ step }} as (

        select
            agent_id,
            range_number
        from stays_{{ step - 1 }}
        union all
        select
            jump.agent_id,
            jump.next_number as range_number
        from stays_{{ step - 1 }} as stays
        inner join jump_{{ step - 1 }} as jump
            on
                stays.agent_id = jump.agent_id
                and stays.range_number = jump.range_number
        where jump.next_number is not null

    ),

{% endfor -%}
judged as (

    select
        assignments.agent_id,
        assignments.department_id,
        assignments.team,
        assignments.valid_from,
        assignments.valid_to,
        assignments.record_key,
        case
            when assignments.valid_to <= assignments.valid_from then 'ends before it begins'
            when contested.agent_id is not null and stays_{{ steps }}.agent_id is null
                then 'overlaps an earlier range of the agent'
        end as rejection_reason,
        case
            when assignments.valid_to <= assignments.valid_from then 'valid_to'
            else 'valid_from'
        end as rejected_column,
        cast(case
            when assignments.valid_to <= assignments.valid_from then assignments.valid_to
            else assignments.valid_from
        end as varchar) as rejected_value,
        assignments._source_file,
        assignments._source_row
    from assignments
    left join contested
        on
            assignments.agent_id = contested.agent_id
            and assignments.valid_from = contested.valid_from
    left join stays_{{ steps }}
        on
            contested.agent_id = stays_{{ steps }}.agent_id
            and contested.range_number = stays_{{ steps }}.range_number

)

select * from judged
