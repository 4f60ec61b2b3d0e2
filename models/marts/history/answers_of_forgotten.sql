{% set key = ['survey_type', 'period_date', 'department_id', 'score'] %}
{% set key_names = key | join(',
        ') %}

with

together as (

    select
        {{ key_names }},
        nps_category as was_nps_category,
        cast(sum(responses) as bigint) as responses
    from {{ ref('state_published_answers') }}
    where
        valid_to_publication is null
        and response_id is null
    group by {{ key | join(', ') }}, nps_category

),

arrivals as (

    select
        {{ key_names }},
        count(*) as arrivals
    from {{ ref('unpublished_answers') }}
    where was_survey_type is null
    group by {{ key | join(', ') }}

),

categories as (

    select * from {{ ref('nps_categories') }}

)

select
    {{ prefixed(key, 'together') }},
    together.was_nps_category,
    categories.category as nps_category,
    together.responses,
    -- What was published without a key, and what is there under one that was not published: of the
    -- same day, department and score it is taken for the same.
    least(together.responses, coalesce(arrivals.arrivals, 0)) as matches
from together
inner join categories
    on together.score = categories.score
left join arrivals
    on {{ same(key, 'together', 'arrivals') }}
