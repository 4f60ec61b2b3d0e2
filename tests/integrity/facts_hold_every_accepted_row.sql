-- What: a fact has exactly the accepted rows of its staged table: no join drops or doubles one.
-- When it matters: always; a fan-out or an inner join shows here before it shows in a score.
-- How to resolve: this is ours; look at the joins of the named fact.
with

counts as (

    {% for fact, staged in {
        'fct_survey_responses': 'stg_survey_responses',
        'fct_contacts': 'stg_contacts',
        'fct_survey_invitations': 'stg_survey_invitations',
    }.items() -%}
        select
            '{{ fact }}' as fact,
            (select count(*) from {{ ref(fact) }}) as rows_in_fact,
            (select count(*) from {{ ref(staged) }}) as rows_staged
        {{- "
        union all
        " if not loop.last }}
    {% endfor %}

)

select
    fact,
    rows_in_fact,
    rows_staged
from counts
where rows_in_fact <> rows_staged
