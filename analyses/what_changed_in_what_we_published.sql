-- What changed in what we published?
-- Numbers of the company's closed months, quarters and years that are not today what they were when
-- they were published, the largest change first, with how many answers came late, were corrected,
-- deleted, or count otherwise since a definition changed. No row with a period: nothing changed.
with

published as (

    select count(*) as publications
    from {{ ref('publications') }}

),

restated as (

    select *
    from {{ ref('nps_restatements') }}
    where
        scope_type = 'company'
        and survey_type = 'all'
        and period_type in ('month', 'quarter', 'year')
        and is_restated

)

select
    published.publications,
    restated.period_type,
    restated.period_start,
    restated.publication_number,
    restated.publication_id,
    restated.responses,
    restated.now_responses,
    restated.nps,
    restated.now_nps,
    restated.nps_restatement,
    restated.late_responses,
    restated.corrected_in_responses,
    restated.corrected_out_responses,
    restated.deleted_responses,
    restated.definition_in_responses,
    restated.definition_out_responses
from published
left join restated
    on published.publications > 0
order by
    abs(restated.nps_restatement) desc nulls last,
    restated.period_type asc,
    restated.period_start asc,
    restated.publication_number asc
