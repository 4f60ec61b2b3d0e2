with

periods as (

    select
        period_type,
        period_start,
        period_end
    from {{ ref('period_restated_counts') }}
    -- `all` ends with the newest answer: it is never over.
    where period_type <> 'all'
    group by period_type, period_start, period_end

),

timeline as (

    select
        as_of_date as on_date,
        1 as is_publication,
        publication_number,
        null as period_type,
        null as period_start
    from {{ ref('state_publications') }}
    union all
    select
        period_end as on_date,
        0 as is_publication,
        null as publication_number,
        period_type,
        period_start
    from periods

),

-- A period is over at a publication of a later date, and stays so. Of one date the periods come
-- before the publication, which does not see them over yet.
looked_up as (

    select
        *,
        min(publication_number) over (
            order by
                on_date desc nulls last, is_publication asc, publication_number asc,
                period_type asc,
                period_start asc
            rows between unbounded preceding and current row
        ) as first_publication_number
    from timeline

)

select
    period_type,
    period_start,
    on_date as period_end,
    first_publication_number
from looked_up
where
    is_publication = 0
    and first_publication_number is not null
