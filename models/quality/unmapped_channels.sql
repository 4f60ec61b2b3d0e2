select
    channel,
    cast(sum(contacts) as bigint) as contacts
from {{ ref('categorized_channels') }}
where not is_mapped
group by channel
