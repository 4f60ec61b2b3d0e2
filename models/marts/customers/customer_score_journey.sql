{% set customer = 'partition by survey_type, customer_id' %}
{% set in_order = customer ~ ' order by responded_at, response_id' %}
{% set compared = ['response_id', 'response_date', 'score', 'nps_category', 'nps_contribution'] %}

with

answers as (

    select * from {{ ref('fct_survey_responses') }}
    -- Who is not known is not one customer.
    where customer_id <> 'unknown'

),

-- Every answer stands in the journey of its own survey type and in that of all.
journeys as (

    {% for survey_type in ['survey_type', "'all'"] -%}
        select
            {{ survey_type }} as survey_type,
            survey_type as answered_survey_type,
            customer_id,
            response_id,
            responded_at,
            response_date,
            period_date,
            score,
            nps_category,
            nps_contribution
        from answers
        {{- "
        union all
        " if not loop.last }}
    {% endfor %}

),

ordered as (

    select
        *,
        {% for column in compared -%}
            lag({{ column }}) over ({{ in_order }}) as previous_{{ column }},
        {% endfor -%}
        row_number() over ({{ in_order }}) as answer_number,
        count(*) over ({{ customer }}) as answers
    from journeys

),

-- The number of the first of the answers in a row that have the category of this one.
streaks as (

    select
        *,
        max(case when previous_nps_category is distinct from nps_category then answer_number end)
            over (
                {{ customer }}
                order by answer_number
                rows between unbounded preceding and current row
            ) as streak_starts_at
    from ordered

)

select
    survey_type,
    customer_id,
    response_id,
    answer_number,
    answers,
    answer_number = answers as is_latest,
    answered_survey_type,
    responded_at,
    response_date,
    period_date,
    score,
    nps_category,
    answer_number - streak_starts_at + 1 as category_streak,
    previous_response_id,
    previous_response_date,
    {{ days_between('previous_response_date', 'response_date') }} as days_since_previous,
    previous_score,
    previous_nps_category,
    score - previous_score as score_change,
    previous_nps_category || ' to ' || nps_category as transition,
    100 * (nps_contribution - previous_nps_contribution) as paired_change
from streaks
