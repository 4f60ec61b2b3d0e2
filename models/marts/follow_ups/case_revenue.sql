with

detractors as (

    select
        response_id,
        customer_id,
        {{ period_start('month', 'response_date') }} as month_start
    from {{ ref('fct_survey_responses') }}
    where
        nps_category = 'detractor'
        and customer_id <> 'unknown'

),

revenue as (

    select * from {{ ref('categorized_customer_revenue') }}

)

-- The twelve whole months before the month of the answer.
select
    detractors.response_id,
    {{ sum_of_doubles('revenue.revenue') }} as revenue_12_months
from detractors
inner join revenue
    on
        detractors.customer_id = revenue.customer_id
        and detractors.month_start > revenue.month
        and {{ plus_months('detractors.month_start', -12) }} <= revenue.month
group by detractors.response_id
