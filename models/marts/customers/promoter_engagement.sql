{% set of_latest = [
    'response_id', 'response_date', 'score', 'nps_category', 'previous_score',
    'previous_nps_category',
] %}

with

histories as (

    select
        survey_type,
        customer_id,
        {% for column in of_latest -%}
            max(case when is_latest then {{ column }} end) as {{ column }},
        {% endfor -%}
        count(*) as answers,
        cast(sum(case when nps_category = 'promoter' then 1 else 0 end) as bigint)
            as promoter_answers,
        max(case when is_latest and nps_category = 'promoter' then category_streak else 0 end)
            as promoter_streak,
        max(case when nps_category = 'promoter' then category_streak else 0 end)
            as longest_promoter_streak,
        min(case when nps_category = 'promoter' then response_date end) as first_promoter_on,
        max(case when nps_category = 'promoter' then response_date end) as last_promoter_on
    from {{ ref('customer_score_journey') }}
    group by survey_type, customer_id
    having sum(case when nps_category = 'promoter' then 1 else 0 end) > 0

),

recent_revenue as (

    select
        revenue.customer_id,
        {{ sum_of_doubles('revenue.revenue') }} as revenue_last_12_months
    from {{ ref('categorized_customer_revenue') }} as revenue
    cross join {{ ref('customer_data_span') }} as spans
    where
        revenue.month <= spans.as_of_date
        and revenue.month > {{ plus_months('spans.as_of_date', -12) }}
    group by revenue.customer_id

),

joined as (

    select
        histories.*,
        customers.segment,
        customers.region,
        customers.product_line,
        customers.acquired_by,
        recent_revenue.revenue_last_12_months,
        {{ days_between('histories.response_date', 'spans.as_of_date') }}
            as days_since_last_answer,
        coalesce(customers.churned_on <= spans.as_of_date, false) as has_left
    from histories
    inner join {{ ref('dim_customers') }} as customers
        on histories.customer_id = customers.customer_id
    left join recent_revenue
        on histories.customer_id = recent_revenue.customer_id
    cross join {{ ref('customer_data_span') }} as spans

)

select
    survey_type,
    customer_id,
    segment,
    region,
    product_line,
    answers,
    promoter_answers,
    promoter_streak,
    longest_promoter_streak,
    first_promoter_on,
    last_promoter_on,
    response_id,
    response_date,
    days_since_last_answer,
    score,
    nps_category,
    previous_score,
    case
        when nps_category = 'promoter' and answers = 1 then 'new'
        when nps_category = 'promoter' and promoter_streak > 1 then 'steady'
        when nps_category = 'promoter' then 'regained'
        when previous_nps_category = 'promoter' then 'slipped'
        else 'lapsed'
    end as engagement,
    has_left,
    -- 9-10, then 8 or less, and still a customer.
    previous_nps_category = 'promoter' and nps_category <> 'promoter' and not has_left
        as is_at_risk,
    acquired_by,
    acquired_by = 'referral' as was_referred,
    revenue_last_12_months
from joined
