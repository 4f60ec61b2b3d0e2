-- sqlfluff:dialect:postgres
-- (its duckdb dialect does not know grouping sets)
{% set member = 'scope_type, scope_id, survey_type, customer_id' %}

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
of_month as (

    select
        case when department_id is null then 'company' else 'department' end as scope_type,
        coalesce(department_id, 'all') as scope_id,
        coalesce(survey_type, 'all') as survey_type,
        customer_id,
        month_start as period_start,
        max(recent_invitations) as recent_invitations
    from invitations
    group by grouping sets (
        (customer_id, month_start),
        (customer_id, month_start, survey_type),
        (customer_id, month_start, department_id),
        (customer_id, month_start, survey_type, department_id)
    )

),

-- The most of a longer period is the most of the shorter ones in it.
of_quarter as (

    select
        {{ member }},
        {{ period_start('quarter', 'period_start') }} as period_start,
        max(recent_invitations) as recent_invitations
    from of_month
    group by {{ member }}, {{ period_start('quarter', 'period_start') }}

),

of_year as (

    select
        {{ member }},
        {{ period_start('year', 'period_start') }} as period_start,
        max(recent_invitations) as recent_invitations
    from of_quarter
    group by {{ member }}, {{ period_start('year', 'period_start') }}

),

of_all as (

    select
        of_year.scope_type,
        of_year.scope_id,
        of_year.survey_type,
        of_year.customer_id,
        span.first_date as period_start,
        max(of_year.recent_invitations) as recent_invitations
    from of_year
    cross join {{ ref('invitation_span') }} as span
    group by
        of_year.scope_type,
        of_year.scope_id,
        of_year.survey_type,
        of_year.customer_id,
        span.first_date

)

{% for period_type in ['month', 'quarter', 'year', 'all'] -%}
    select
        scope_type,
        scope_id,
        survey_type,
        '{{ period_type }}' as period_type,
        period_start,
        recent_invitations,
        count(*) as customers
    from of_{{ period_type }}
    group by scope_type, scope_id, survey_type, period_start, recent_invitations
    {{ "union all" if not loop.last }}
{% endfor %}
