with

windows as (

    select * from {{ ref('initiative_windows') }}

),

-- Others that begin or end while this one is measured; what was there all the time changes nothing.
overlapping as (

    select
        windows.initiative_id,
        count(distinct touches.initiative_id) as overlapping_initiatives
    from windows
    inner join {{ ref('initiative_touches') }} as touches
        on
            windows.scope_type = touches.scope_type
            and windows.scope_id = touches.scope_id
            and windows.initiative_id <> touches.initiative_id
    where
        touches.started_on between windows.before_start and windows.after_end
        or touches.touched_until between windows.before_start and windows.after_end
    group by windows.initiative_id

),

-- Every initiative has a row of all answers, however few there are.
judged_rows as (

    select
        initiative_id,
        'all' as survey_type
    from windows
    union all
    select
        initiative_id,
        survey_type
    from {{ ref('initiative_comparisons') }}
    where
        survey_type <> 'all'
        and greatest(before_responses, after_responses) > 0

),

reasoned as (

    select
        judged_rows.initiative_id,
        judged_rows.survey_type,
        windows.scope_type,
        coalesce(overlapping.overlapping_initiatives, 0) as overlapping_initiatives,
        comparisons.did,
        comparisons.did_z_value,
        {{ two_sided_p('comparisons.did_z_value') }} as did_p_value,
        {{ why_it_cannot_be_told('windows', 'comparisons', 'overlapping') }} as reason
    from judged_rows
    inner join windows
        on judged_rows.initiative_id = windows.initiative_id
    left join {{ ref('initiative_comparisons') }} as comparisons
        on {{ same(['initiative_id', 'survey_type'], 'judged_rows', 'comparisons') }}
    left join overlapping
        on judged_rows.initiative_id = overlapping.initiative_id

),

-- What can't be told anyway does not make it harder for the others.
tested as (

    select
        *,
        case when reason is null then did_p_value end as judged_p_value
    from reasoned

),

{{ benjamini_hochberg(
    'tested', within=['scope_type', 'survey_type'], key=['initiative_id'], p='judged_p_value',
) }}

select
    initiative_id,
    survey_type,
    overlapping_initiatives,
    did_p_value,
    reason,
    adjusted_p_value,
    {{ verdict('did', 'did_z_value', 'adjusted_p_value', '(reason is null)') }} as direction
from tested_adjusted
