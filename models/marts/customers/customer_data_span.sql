with

as_of as (

    select * from {{ ref('as_of') }}

),

revenue as (

    select
        min(month) as first_revenue_month,
        max(month) as last_revenue_month
    from {{ ref('categorized_customer_revenue') }}

),

customers as (

    select count(churned_on) > 0 as has_churn_dates
    from {{ ref('dim_customers') }}

)

select
    as_of.as_of_date,
    revenue.first_revenue_month,
    revenue.last_revenue_month,
    -- Months are delivered whole, and those to come are no revenue yet.
    case
        when revenue.last_revenue_month is not null
            then least(
                {{ period_end('month', 'revenue.last_revenue_month') }},
                cast({{ plus_days('as_of.as_of_date', -1) }} as date)
            )
    end as revenue_through,
    customers.has_churn_dates
from as_of
cross join revenue
cross join customers
