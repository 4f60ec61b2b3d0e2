select
    customer_id,
    coalesce(segment, 'unknown') as segment,
    coalesce(region, 'unknown') as region,
    coalesce(product_line, 'unknown') as product_line,
    customer_since,
    acquired_by,
    churned_on
from {{ ref('stg_customers') }}
