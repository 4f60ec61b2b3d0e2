with

customers as (

    select * from {{ ref('categorized_customers') }}

),

keys as (

    select customer_id from {{ ref('fct_contacts') }}
    union all
    select customer_id from {{ ref('fct_survey_responses') }}
    union all
    select customer_id from {{ ref('fct_survey_invitations') }}
    union all
    select customer_id from customers
    union all
    select 'unknown' as customer_id

),

every_key as (

    select customer_id from keys
    group by customer_id

)

select
    every_key.customer_id,
    coalesce(customers.segment, 'unknown') as segment,
    coalesce(customers.region, 'unknown') as region,
    coalesce(customers.product_line, 'unknown') as product_line,
    customers.customer_since,
    customers.acquired_by,
    customers.churned_on,
    customers.customer_id is not null as is_delivered
from every_key
left join customers
    on every_key.customer_id = customers.customer_id
