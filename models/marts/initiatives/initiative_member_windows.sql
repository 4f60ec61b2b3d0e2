{% set early = earlier_windows() | join(', ') %}

with

counts as (

    select * from {{ ref('initiative_scope_days') }}
    where
        {{ is_a_member('scope_id') }}
        and scope_type <> 'company'

),

days as (

    select * from {{ ref('initiative_days') }}

),

net as (

    select
        days.window_key,
        counts.scope_type,
        counts.scope_id,
        days.window_number,
        sum(counts.responses) as responses,
        sum(counts.promoters - counts.detractors) as balance
    from counts
    inner join days
        on
            counts.scope_type = days.scope_type
            and counts.period_date = days.date_day
    group by days.window_key, counts.scope_type, counts.scope_id, days.window_number

),

summed as (

    select
        window_key,
        scope_type,
        scope_id,
        sum(case when window_number = 0 then responses else 0 end) as after_responses,
        sum(case when window_number = -1 then responses else 0 end) as before_responses,
        {% set history = 'case when window_number in (' ~ early ~ ') then ' -%}
        sum({{ history }} responses else 0 end) as n,
        sum({{ history }} responses * window_number else 0 end) as x,
        sum({{ history }} responses * window_number * window_number else 0 end) as xx,
        sum({{ history }} balance else 0 end) as y,
        sum({{ history }} balance * window_number else 0 end) as xy
    from net
    group by window_key, scope_type, scope_id

)

select
    window_key,
    scope_type,
    scope_id,
    cast(before_responses as bigint) as before_responses,
    cast(after_responses as bigint) as after_responses,
    cast(n as bigint) as history_responses,
    cast(100 * y as {{ double_type() }}) / nullif(n, 0) as history_nps,
    {{ slope_of_sums('n', 'x', 'xx', 'y', 'xy') }} as history_slope
from summed
