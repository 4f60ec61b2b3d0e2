{{ config(severity='warn') }}
-- What: every priority that a rule of the seed case_priority_rules gives has hours in case_sla.
-- When it matters: its cases have no deadline and are never overdue.
-- How to resolve: operations add the priority to case_sla, or correct its name.
select
    rule_number,
    priority
from {{ ref('priority_ranks') }}
where sla_hours is null
