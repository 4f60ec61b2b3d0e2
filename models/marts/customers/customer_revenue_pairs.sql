{% set years = {'now': 0, 'before': 12} %}

with

revenue as (

    {% for period_type in ['quarter', 'year'] -%}
        {% set is_last_type = loop.last -%}
        {% for year, months in years.items() -%}
            select
                '{{ period_type }}' as period_type,
                cast({{ plus_months(period_start(period_type, 'month'), months) }} as date)
                    as period_start,
                customer_id,
                {{ 'revenue' if year == 'now' else '0' }} as revenue_now,
                {{ 'revenue' if year == 'before' else '0' }} as revenue_before
            from {{ ref('categorized_customer_revenue') }}
            {{- "
            union all
            " if not (is_last_type and loop.last) }}
        {% endfor -%}
    {% endfor %}

),

spans as (

    select * from {{ ref('customer_data_span') }}

)

select
    revenue.period_type,
    revenue.period_start,
    revenue.customer_id,
    {{ sum_of_doubles('revenue.revenue_now') }} as revenue_now,
    {{ sum_of_doubles('revenue.revenue_before') }} as revenue_before
from revenue
cross join spans
-- Revenue is delivered for all of the earlier period, and for some of the later one.
where
    spans.first_revenue_month <= {{ plus_months('revenue.period_start', -12) }}
    and revenue.period_start <= spans.last_revenue_month
group by revenue.period_type, revenue.period_start, revenue.customer_id
