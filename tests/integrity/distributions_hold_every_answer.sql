-- What: in every scope and period type, the scores that are counted are the accepted answers.
-- When it matters: a score that no column counts is missing from every mean and share.
-- How to resolve: we compare score_0 to score_10 with the scores that staging accepts.
with

staged as (

    select count(*) as answers
    from {{ ref('stg_survey_responses') }}

),

counted as (

    select
        scope_type,
        period_type,
        sum({{ counts_of_scale('score') | join(' + ') }}) as answers
    from {{ ref('score_distributions') }}
    where survey_type = 'all'
    group by scope_type, period_type

)

select
    counted.scope_type,
    counted.period_type,
    counted.answers as answers_counted,
    staged.answers as answers_staged
from counted
cross join staged
where counted.answers <> staged.answers
