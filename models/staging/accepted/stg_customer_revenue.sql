with

accepted as (

    {{ newest_versions('customer_revenue') }}

)

select
    customer_id,
    month,
    revenue,
    _source_file,
    _source_row
from accepted
