-- Which complaint weighs most?
-- Impact: the company's score less what it would be without the answers whose comment has the
-- complaint, over the last year that is over. Not every answer has a comment, and a comment can
-- have several complaints: they do not add up, and who complains might be a detractor without it,
-- too.
with

themes as (

    select *
    from {{ ref('nps_by_theme') }}
    where
        survey_type = 'all'
        and period_type = 'year'
        and scope_type = 'company'
        and sign = -1
        and is_complete

),

last_year as (

    select max(period_start) as period_start
    from themes

)

select
    themes.period_start,
    themes.theme,
    themes.family,
    themes.owner_department_id,
    themes.responses,
    themes.detractors,
    themes.commented_responses,
    themes.nps,
    themes.is_reportable,
    themes.impact
from themes
inner join last_year
    on themes.period_start = last_year.period_start
order by
    themes.impact asc nulls last,
    themes.theme asc
