with

agent_counts as (

    select * from {{ ref('period_team_counts') }}

),

counts as (

    select
        {{ period_columns() }},
        team,
        -- Of whom nothing is known, or may be shown, are no agents to be counted.
        cast(sum(case when agent_id in ('unknown', 'withheld') then 0 else 1 end) as bigint)
            as agents,
        {{ summed_counts() }}
    from agent_counts
    group by {{ period_columns() }}, team

),

{{ nps_block_of('counts') }}

select
    {{ period_columns() }},
    team,
    agents,
    {{ nps_block() }},
    nps_adjusted
from with_block
