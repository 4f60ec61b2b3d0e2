with

accepted as (

    {{ newest_versions('customers') }}

)

select
    customer_id,
    segment,
    region,
    product_line,
    customer_since,
    acquired_by,
    churned_on,
    updated_at,
    _source_file,
    _source_row
from accepted
