{{ config(severity='warn') }}
-- What: sets of groups that are told apart into as many tie groups as are looked for.
-- When it matters: those at the end of such a ranking share the last tie group, though they might be
-- told apart. Nobody is ordered wrongly.
-- How to resolve: a greater number in the macro most_tie_groups; the build costs a pass for each.
select
    {{ ranking_set() | join(',
    ') }},
    max(tie_group) as tie_groups
from {{ ref('ranking_ranks') }}
group by {{ ranking_set() | join(', ') }}
having max(tie_group) >= {{ most_tie_groups() }}
