with

rules as (

    select * from {{ ref('case_priority_rules') }}

),

sla as (

    select * from {{ ref('case_sla') }}

)

select
    rules.rule_number,
    rules.priority,
    -- Priorities rank as the rules first name them.
    min(rules.rule_number) over (partition by rules.priority) as priority_rank,
    sla.hours as sla_hours
from rules
left join sla
    on rules.priority = sla.priority
