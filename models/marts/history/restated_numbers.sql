{% set cell = ['scope_type', 'scope_id', 'survey_type', 'period_type', 'period_start'] %}

with

movements as (

    select * from {{ ref('period_restated_counts') }}

),

first_publications as (

    select * from {{ ref('first_publications') }}

),

-- What moved until a period was published as over is its first published number.
after_first as (

    select
        {{ prefixed(cell, 'movements') }},
        first_publications.period_end,
        first_publications.first_publication_number,
        greatest(movements.publication_number, first_publications.first_publication_number)
            as publication_number,
        movements.{{ movement_columns() | join(',
        movements.') }}
    from movements
    inner join first_publications
        on
            movements.period_type = first_publications.period_type
            and movements.period_start = first_publications.period_start

),

-- A period that was published without answers, too, had a number: none.
with_first as (

    select * from after_first
    union all
    select
        {{ cell | join(',
        ') }},
        period_end,
        first_publication_number,
        first_publication_number as publication_number,
        cast(0 as bigint) as {{ movement_columns() | join(',
        cast(0 as bigint) as ') }}
    from after_first
    group by {{ cell | join(', ') }}, period_end, first_publication_number

)

select
    {{ cell | join(',
    ') }},
    period_end,
    first_publication_number,
    publication_number,
    {% for count in restated_counts() -%}
        cast(sum({{ net_movement(count) }}) as bigint) as {{ count }}_moved,
    {% endfor -%}
    {{ summed_bigints(movement_columns()) }}
from with_first
group by {{ cell | join(', ') }}, period_end, first_publication_number, publication_number
