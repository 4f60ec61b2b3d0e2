{{ config(severity='warn') }}
-- What: sets of groups that are told apart into as many tie groups as are looked for.
-- When it matters: the end of such a ranking shares the last tie group, though some of it might be
-- told apart. Nobody is ordered wrongly.
-- How to resolve: a greater var nps_most_tie_groups; the build costs a pass for each.
select
    {{ ranking_set() | join(',
    ') }},
    max(tie_group) as tie_groups
from {{ ref('ranking_ranks') }}
group by {{ ranking_set() | join(', ') }}
having max(tie_group) >= {{ var('nps_most_tie_groups') }}
