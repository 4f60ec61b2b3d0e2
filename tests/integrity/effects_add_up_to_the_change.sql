-- What: over the groups of a dimension, mix and rate effects add up to the company's change.
-- When it matters: an explanation that leaves a part of the change out explains nothing.
-- How to resolve: we look for groups that are in no effect, or in two.
with

explained as (

    select
        comparison,
        survey_type,
        period_type,
        period_start,
        scope_type,
        sum(mix_effect) + sum(rate_effect) as explained_change
    from {{ ref('nps_change_decomposition') }}
    group by comparison, survey_type, period_type, period_start, scope_type

),

scopes as (

    select scope_type
    from explained
    group by scope_type

),

changes as (

    select
        pairs.*,
        scopes.scope_type
    from {{ ref('nps_period_pairs') }} as pairs
    cross join scopes

)

select
    changes.comparison,
    changes.survey_type,
    changes.period_type,
    changes.period_start,
    changes.scope_type,
    changes.company_nps_change,
    explained.explained_change
from changes
left join explained
    on
        changes.comparison = explained.comparison
        and changes.survey_type = explained.survey_type
        and changes.period_type = explained.period_type
        and changes.period_start = explained.period_start
        and changes.scope_type = explained.scope_type
where
    explained.explained_change is null
    or abs(changes.company_nps_change - explained.explained_change) > 1e-9
