{% set windows_before = [-1] + earlier_windows() %}

with

windows as (

    select
        window_key,
        scope_type,
        min(before_end) as before_end,
        min(after_start) as after_start,
        min(after_end) as after_end,
        min(window_days) as window_days
    from {{ ref('initiative_windows') }}
    where window_key is not null
    group by window_key, scope_type

),

dates as (

    select date_day from {{ ref('dim_dates') }}

),

numbered as (

    select
        windows.window_key,
        windows.scope_type,
        dates.date_day,
        case
            when dates.date_day >= windows.after_start then 0
            when dates.date_day > windows.before_end then null
            {% for number in windows_before -%}
                when
                    dates.date_day > {{ plus_days(
                        'windows.before_end', number ~ ' * windows.window_days'
                    ) }}
                    then {{ number }}
            {% endfor %}
        end as window_number
    from windows
    inner join dates
        on windows.after_end >= dates.date_day

)

select
    window_key,
    scope_type,
    date_day,
    window_number
from numbered
where window_number is not null
