-- Did our last initiative help?
-- The last one that began comes first. The difference in differences is its change less that of
-- members that had none; helped and hurt are more than chance. "can't tell" says why. The raw
-- change alone proves nothing: it also holds what happened to everybody.
with

effects as (

    select *
    from {{ ref('initiative_effects') }}
    where
        survey_type = 'all'
        and started_on is not null
        and scope_type <> 'unknown'

)

select
    initiative_id,
    initiative_name,
    scope_type,
    scope_id,
    started_on,
    before_responses,
    after_responses,
    nps_change,
    control_members,
    difference_in_differences,
    did_ci_low,
    did_ci_high,
    verdict,
    cannot_tell_because
from effects
order by
    started_on desc,
    initiative_id asc
