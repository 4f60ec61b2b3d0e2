with

counts as (

    select
        case_period_counts.*,
        case_period_counts.within_sla + case_period_counts.past_sla as sla_cases,
        case_period_counts.period_end < as_of.as_of_date as is_complete
    from {{ ref('case_period_counts') }} as case_period_counts
    cross join {{ ref('as_of') }} as as_of

),

waits as (

    select * from {{ ref('case_waits') }}

),

departments as (

    select * from {{ ref('dim_departments') }}

)

select
    counts.scope_type,
    counts.scope_id,
    departments.department_name,
    counts.period_type,
    counts.period_start,
    counts.period_end,
    counts.is_complete,
    counts.cases,
    {% for name in case_counts() -%}
        counts.{{ name }},
    {% endfor -%}
    counts.cases - counts.closed as still_open,
    {{ share_pct('counts.contacted', 'counts.cases') }} as contacted_pct,
    {{ share_pct('counts.closed', 'counts.cases') }} as closed_pct,
    counts.sla_cases,
    {{ share_pct('counts.within_sla', 'counts.sla_cases') }} as within_sla_pct,
    {{ wilson_limit('counts.within_sla', 'counts.sla_cases', 'low') }} as within_sla_pct_ci_low,
    {{ wilson_limit('counts.within_sla', 'counts.sla_cases', 'high') }} as within_sla_pct_ci_high,
    counts.sla_cases >= {{ var('nps_min_responses') }} as is_reportable,
    {% for outcome in ['fixed', 'explained', 'unreachable'] -%}
        {{ share_pct('counts.' ~ outcome, 'counts.closed') }} as {{ outcome }}_pct,
    {% endfor -%}
    waits.hours_to_contact_p50,
    waits.hours_to_contact_p50_ci_low,
    waits.hours_to_contact_p50_ci_high,
    waits.hours_to_contact_p90,
    waits.closed_hours_p50
from counts
left join waits
    on
        counts.scope_type = waits.scope_type
        and counts.scope_id = waits.scope_id
        and counts.period_type = waits.period_type
        and counts.period_start = waits.period_start
left join departments
    on
        counts.scope_type = 'department'
        and counts.scope_id = departments.department_id
