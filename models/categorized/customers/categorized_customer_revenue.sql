select
    customer_id,
    month,
    revenue
from {{ ref('stg_customer_revenue') }}
