-- Which ranges stay where ranges of an agent overlap: the first one, and from each that stays the
-- first that begins when it has ended. That chain is followed by doubled pointers: {{ 2 ** 10 }}
-- ranges of an agent in ten joins.
{% set steps = 10 %}

with

assignments as (

    {{ newest_versions('agent_assignments') }}

),

numbered as (

    select
        agent_id,
        valid_from,
        valid_to,
        row_number() over (partition by agent_id order by valid_from) as range_number,
        lead(valid_from) over (partition by agent_id order by valid_from) as next_valid_from
    from assignments
    where valid_to is null or valid_to > valid_from

),

agents_with_overlap as (

    select agent_id
    from numbered
    where next_valid_from is not null and (valid_to is null or valid_to > next_valid_from)
    group by agent_id

),

contested as {{ materialized() }} (

    select numbered.*
    from numbered
    inner join agents_with_overlap
        on numbered.agent_id = agents_with_overlap.agent_id

),

jump_0 as {{ materialized() }} (

    select
        here.agent_id,
        here.range_number,
        min(later.range_number) as next_number
    from contested as here
    inner join contested as later
        on
            here.agent_id = later.agent_id
            and here.valid_to <= later.valid_from
    group by here.agent_id, here.range_number

),

stays_0 as (

    select
        agent_id,
        range_number
    from contested
    where range_number = 1

),

{% for step in range(1, steps + 1) -%}
    stays_{{ step }} as {{ materialized() }} (

        select * from stays_{{ step - 1 }}
        union all
        {{ jumped('stays_' ~ (step - 1), 'jump_' ~ (step - 1), 'range_number') }}

    ),

    jump_{{ step }} as {{ materialized() }} (

        {{ jumped('jump_' ~ (step - 1), 'jump_' ~ (step - 1), 'next_number', keep='range_number') }}

    ),

{% endfor -%}
judged as (

    select
        contested.agent_id,
        contested.valid_from,
        stays_{{ steps }}.agent_id is not null as stays
    from contested
    left join stays_{{ steps }}
        on
            contested.agent_id = stays_{{ steps }}.agent_id
            and contested.range_number = stays_{{ steps }}.range_number

)

select * from judged
