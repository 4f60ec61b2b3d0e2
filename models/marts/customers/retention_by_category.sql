with

first_answers as (

    select * from {{ ref('customer_score_journey') }}
    where answer_number = 1

),

customers as (

    select * from {{ ref('dim_customers') }}
    where is_delivered

),

spans as (

    select * from {{ ref('customer_data_span') }}
    -- Where nobody ever left, leaving is not recorded.
    where has_churn_dates

),

-- Whether a customer left by as_of, and after how long; who had left before answering is left out.
waits as (

    select
        first_answers.survey_type,
        first_answers.nps_category,
        customers.churned_on is not null and customers.churned_on <= spans.as_of_date as has_left,
        {{ days_between(
            'first_answers.response_date',
            'least(coalesce(customers.churned_on, spans.as_of_date), spans.as_of_date)'
        ) }} as days_since_answer
    from first_answers
    inner join customers
        on first_answers.customer_id = customers.customer_id
    cross join spans
    where
        customers.churned_on is null
        or customers.churned_on >= first_answers.response_date

),

{{ kaplan_meier(
    'waits', 'cast(days_since_answer as ' ~ double_type() ~ ')', 'has_left',
    ['survey_type', 'nps_category']
) }}

select
    survey_type,
    nps_category,
    cast(duration as bigint) as days_since_answer,
    cast(max(at_risk) over (partition by survey_type, nps_category) as bigint) as customers,
    at_risk,
    events as churned,
    censored,
    100 * survival as retained_pct,
    100 * survival * sqrt(greenwood) as retained_standard_error,
    100 * {{ survival_limit('survival', 'greenwood', 'low') }} as retained_ci_low,
    100 * {{ survival_limit('survival', 'greenwood', 'high') }} as retained_ci_high,
    at_risk >= {{ var('nps_min_responses') }} as is_reportable
from waits_survival
