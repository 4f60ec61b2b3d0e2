{% set counted = ['contacts', 'repeat_contacts', 'handle_seconds', 'repeat_handle_seconds'] %}

with

journeys as (

    select
        *,
        cast({{ plus_months('response_date', 12) }} as date) as year_ends_on
    from {{ ref('customer_score_journey') }}

),

years as (

    select * from {{ ref('years_after_answers') }}

),

customers as (

    select * from {{ ref('dim_customers') }}

),

-- No revenue at all is not known, not 0.
billed as (

    select customer_id from {{ ref('categorized_customer_revenue') }}
    group by customer_id

),

spans as (

    select * from {{ ref('customer_data_span') }}

),

known as (

    select
        journeys.*,
        customers.segment,
        customers.churned_on,
        journeys.year_ends_on < spans.as_of_date as is_observed,
        coalesce(
            journeys.year_ends_on < spans.as_of_date
            and {{ period_end('month', period_start('month', 'journeys.year_ends_on')) }}
            <= spans.revenue_through
            and billed.customer_id is not null,
            false
        ) as is_billed,
        journeys.year_ends_on < spans.as_of_date
        and customers.is_delivered
        and spans.has_churn_dates
        and coalesce(customers.churned_on >= journeys.response_date, true) as is_churn_known
    from journeys
    inner join customers
        on journeys.customer_id = customers.customer_id
    left join billed
        on journeys.customer_id = billed.customer_id
    cross join spans

)

select
    known.survey_type,
    known.response_id,
    known.customer_id,
    known.segment,
    known.response_date,
    known.previous_response_date,
    known.answer_number,
    known.nps_category,
    known.previous_nps_category,
    known.is_observed,
    known.is_billed,
    known.is_churn_known,
    {% for column in counted -%}
        case when known.is_observed then years.{{ column }} end as {{ column }},
    {% endfor -%}
    case when known.is_billed then years.revenue end as revenue,
    case
        when known.is_billed
            then years.revenue - {{ handling_cost('years.handle_seconds') }}
    end as customer_value,
    case
        when known.is_churn_known
            then coalesce(known.churned_on <= known.year_ends_on, false)
    end as has_churned
from known
inner join years
    on known.response_id = years.response_id
