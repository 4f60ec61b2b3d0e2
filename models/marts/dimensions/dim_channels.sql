with

channels as (

    select
        channel,
        is_mapped
    from {{ ref('categorized_channels') }}
    union all
    select
        channel,
        true as is_mapped
    from {{ ref('channel_aliases') }}

),

named as (

    select
        {{ trimmed('channel') }} as channel,
        max(case when is_mapped then 1 else 0 end) = 1 as is_mapped
    from channels
    group by {{ trimmed('channel') }}

)

select
    channel,
    is_mapped
from named
where
    channel is not null
    and channel <> 'unknown'
union all
select
    'unknown' as channel,
    false as is_mapped
