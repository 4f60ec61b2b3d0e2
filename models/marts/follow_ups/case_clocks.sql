{% set up_to_now %}
    partition by calendar_id
    order by happened_at, is_moment, response_id, moment
    rows between unbounded preceding and current row
{% endset %}

with

moments as (

    select * from {{ ref('case_moments') }}

),

-- Openings and moments in one order, so that each moment finds the last opening before it.
merged as (

    select
        calendar_id,
        opens_at as happened_at,
        0 as is_moment,
        null as response_id,
        null as moment,
        opens_at,
        closes_at,
        microseconds_before
    from {{ ref('business_openings') }}
    union all
    select
        calendar_id,
        happened_at,
        1 as is_moment,
        response_id,
        moment,
        null as opens_at,
        null as closes_at,
        null as microseconds_before
    from moments

),

placed as (

    select
        calendar_id,
        is_moment,
        response_id,
        moment,
        happened_at,
        max(opens_at) over ({{ up_to_now }}) as last_opens_at,
        max(closes_at) over ({{ up_to_now }}) as last_closes_at,
        max(microseconds_before) over ({{ up_to_now }}) as last_microseconds_before,
        max(closes_at) over (partition by calendar_id) as calendar_ends_at
    from merged

),

clocked as (

    -- Null past the end of the calendar.
    select
        response_id,
        calendar_id,
        moment,
        happened_at,
        case
            when happened_at <= calendar_ends_at
                then coalesce(
                    last_microseconds_before + {{ microseconds_between(
                        'last_opens_at', 'least(happened_at, last_closes_at)'
                    ) }},
                    0
                )
        end as open_microseconds
    from placed
    where is_moment = 1

)

select
    response_id,
    calendar_id,
    {% for moment in ['opened', 'contacted', 'closed', 'measured'] -%}
        max(case when moment = '{{ moment }}' then open_microseconds end)
            as {{ moment }}_microseconds,
    {% endfor -%}
    max(case when moment = 'measured' then happened_at end) as measured_at
from clocked
group by response_id, calendar_id
