-- sqlfluff:dialect:postgres
-- (its duckdb dialect does not know grouping sets)
{% set group = 'scope_type, scope_id, survey_type, period_type, period_start' %}

with

invitations as (

    select
        department_id,
        survey_type,
        customer_id,
        recent_invitations,
        {{ period_start('month', 'sent_date') }} as month_start
    from {{ ref('invitation_stages') }}
    where recent_invitations is not null

),

-- The most a customer had within 90 days, as of any invitation of the month.
monthly as (

    select
        case when department_id is null then 'company' else 'department' end as scope_type,
        coalesce(department_id, 'all') as scope_id,
        coalesce(survey_type, 'all') as survey_type,
        customer_id,
        month_start,
        max(recent_invitations) as recent_invitations
    from invitations
    group by grouping sets (
        (customer_id, month_start),
        (customer_id, month_start, survey_type),
        (customer_id, month_start, department_id),
        (customer_id, month_start, survey_type, department_id)
    )

),

{{ by_longer_period('monthly', 'month_start') }},

customers as (

    select
        {{ group }},
        customer_id,
        max(recent_invitations) as recent_invitations
    from monthly_by_period
    group by {{ group }}, customer_id

),

-- Loads are few whole numbers: ranks are running sums of customers.
loads as (

    select
        {{ group }},
        recent_invitations,
        count(*) as customers
    from customers
    group by {{ group }}, recent_invitations

),

ranked as (

    select
        *,
        sum(customers) over (
            partition by {{ group }}
            order by recent_invitations
        ) as place,
        sum(customers) over (
            partition by {{ group }}
        ) as places
    from loads

)

select
    {{ group }},
    cast(sum(customers) as bigint) as customers,
    cast(sum(customers * recent_invitations) as {{ double_type() }})
    / sum(customers) as recent_invitations_mean,
    {{ percentile_by_rank('recent_invitations', 90, 'place', 'places') }}
        as recent_invitations_p90,
    {{ share_pct(
        'sum(case when recent_invitations > ' ~ var('nps_fatigue_invitations')
        ~ ' then customers else 0 end)', 'sum(customers)'
    ) }} as fatigued_pct
from ranked
group by {{ group }}
