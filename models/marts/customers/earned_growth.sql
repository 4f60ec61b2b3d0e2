{% set origins = {'earned': "= 'referral'", 'bought': "= 'paid'", 'unknown': 'is null'} %}
{# More refunds than revenue are no base to compare with. #}
{% set base = 'case when totals.revenue_before > 0 then totals.revenue_before end' %}

with

customers as (

    select
        pairs.*,
        customers.acquired_by,
        -- Who had no revenue a year before is new.
        pairs.revenue_before <> 0 as is_kept,
        pairs.revenue_before = 0 and pairs.revenue_now <> 0 as is_new
    from {{ ref('customer_revenue_pairs') }} as pairs
    left join {{ ref('dim_customers') }} as customers
        on pairs.customer_id = customers.customer_id

),

totals as (

    select
        period_type,
        period_start,
        {% for origin, condition in origins.items() -%}
            {{ sum_of_doubles(
                'case when is_new and acquired_by ' ~ condition ~ ' then revenue_now else 0 end'
            ) }} as {{ origin }}_new_revenue,
        {% endfor -%}
        cast(sum(case when is_kept then 1 else 0 end) as bigint) as customers_before,
        cast(sum(case when is_kept and revenue_now = 0 then 1 else 0 end) as bigint)
            as customers_lost,
        cast(sum(case when is_new then 1 else 0 end) as bigint) as new_customers,
        {{ sum_of_doubles('revenue_before') }} as revenue_before,
        {{ sum_of_doubles('revenue_now') }} as revenue,
        {{ sum_of_doubles('case when is_kept then revenue_now else 0 end') }} as retained_revenue
    from customers
    group by period_type, period_start

),

rates as (

    select
        totals.*,
        {{ end_of_period('totals.period_type', 'totals.period_start', 'null') }} as period_end,
        {{ end_of_period('totals.period_type', 'totals.period_start', 'null') }}
        <= spans.revenue_through as is_complete,
        {% for part in ['retained', 'earned_new', 'bought_new', 'unknown_new'] -%}
            {{ share_pct('totals.' ~ part ~ '_revenue', base) }} as {{ part }}_pct,
        {% endfor -%}
        {{ share_pct('(totals.revenue - totals.revenue_before)', base) }} as revenue_growth
    from totals
    cross join {{ ref('customer_data_span') }} as spans

)

select
    period_type,
    period_start,
    period_end,
    is_complete,
    customers_before,
    customers_lost,
    new_customers,
    revenue_before,
    revenue,
    retained_revenue,
    {% for origin in origins -%}
        {{ origin }}_new_revenue,
    {% endfor -%}
    retained_pct as net_revenue_retention,
    {% for origin in origins -%}
        {{ origin }}_new_pct,
    {% endfor -%}
    retained_pct + earned_new_pct - 100 as earned_growth_rate,
    revenue_growth,
    customers_before >= {{ var('nps_min_responses') }} as is_reportable
from rates
