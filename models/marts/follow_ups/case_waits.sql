{% set group = ['scope_type', 'scope_id', 'period_type', 'period_start'] %}

with

-- A case that was closed without a contact is known to have waited until then, an open one until
-- now.
cases as (

    select
        case_id,
        department_id,
        period_date,
        first_contacted_at is not null as is_contacted,
        closed_at is not null as is_closed,
        coalesce(
            business_hours_to_first_contact, business_hours_to_close, business_hours_open
        ) as hours_waited
    from {{ ref('detractor_cases') }}

),

{{ cases_by_period('cases') }},

{{ kaplan_meier(
    'cases_by_period', duration='hours_waited', is_event='is_contacted', within=group
) }},

limited as (

    select
        *,
        {{ survival_limit('survival', 'greenwood', 'low') }} as survival_ci_low,
        {{ survival_limit('survival', 'greenwood', 'high') }} as survival_ci_high
    from cases_by_period_survival

),

estimated as (

    select
        {{ group | join(', ') }},
        {{ survival_percentile(50) }} as hours_to_contact_p50,
        {{ survival_percentile(50, 'survival_ci_low') }} as hours_to_contact_p50_ci_low,
        {{ survival_percentile(50, 'survival_ci_high') }} as hours_to_contact_p50_ci_high,
        {{ survival_percentile(90) }} as hours_to_contact_p90
    from limited
    group by {{ group | join(', ') }}

),

closed as (

    select
        {{ group | join(', ') }},
        {{ percentile('hours_waited', 50) }} as closed_hours_p50
    from cases_by_period
    where
        is_closed
        and is_contacted
        and hours_waited is not null
    group by {{ group | join(', ') }}

)

select
    {% for column in group -%}
        estimated.{{ column }},
    {% endfor -%}
    estimated.hours_to_contact_p50,
    estimated.hours_to_contact_p50_ci_low,
    estimated.hours_to_contact_p50_ci_high,
    estimated.hours_to_contact_p90,
    closed.closed_hours_p50
from estimated
left join closed
    on
        estimated.scope_type = closed.scope_type
        and estimated.scope_id = closed.scope_id
        and estimated.period_type = closed.period_type
        and estimated.period_start = closed.period_start
