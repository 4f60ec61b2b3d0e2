with

declared as (

    select * from {{ ref('declared_openings') }}

),

-- Where openings overlap, by declaration or because a skipped hour moved one, time counts once.
joined as (

    select
        calendar_id,
        greatest(
            opens_at,
            coalesce(
                max(closes_at) over (
                    partition by calendar_id
                    order by opens_at, closes_at
                    rows between unbounded preceding and 1 preceding
                ),
                opens_at
            )
        ) as opens_at,
        closes_at
    from declared

),

measured as (

    select
        *,
        {{ microseconds_between('opens_at', 'closes_at') }} as open_microseconds
    from joined
    where opens_at < closes_at

)

select
    calendar_id,
    opens_at,
    closes_at,
    cast(
        sum(open_microseconds) over (
            partition by calendar_id
            order by opens_at
            rows between unbounded preceding and current row
        ) - open_microseconds as bigint
    ) as microseconds_before
from measured
