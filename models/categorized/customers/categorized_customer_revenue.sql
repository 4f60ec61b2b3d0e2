select
    customer_id,
    month,
    revenue
from {{ ref('stg_customer_revenue') }}
-- An amount that could not be read is no revenue of 0.
where revenue is not null
