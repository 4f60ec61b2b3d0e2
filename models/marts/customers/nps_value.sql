{% set keys = 'survey_type, period_type, period_start, nps_category' %}
{% set counted = ['contacts', 'repeat_contacts'] %}
{% set seconds = {'cost_to_serve': 'handle_seconds', 'repeat_cost': 'repeat_handle_seconds'} %}
{% set billed = ['revenue', 'customer_value'] %}

with

outcomes as (

    select * from {{ ref('customer_outcomes') }}

),

{{ by_longer_period('outcomes', 'response_date') }},

cohorts as (

    select
        {{ keys }},
        count(*) as customers,
        count(contacts) as observed_customers,
        count(revenue) as billed_customers,
        count(has_churned) as churn_known_customers,
        cast(sum(case when has_churned then 1 else 0 end) as bigint) as churned_customers,
        {% for column in counted -%}
            sum({{ column }}) as {{ column }}_total,
            sum({{ column }} * {{ column }}) as {{ column }}_squares,
        {% endfor -%}
        {% for name, column in seconds.items() -%}
            {{ value_sums(name, handling_cost(column)) }},
        {% endfor -%}
        {{ value_sums('revenue', 'revenue') }},
        {{ value_sums('customer_value', 'customer_value') }}
    from outcomes_by_period
    where {{ enters_cohort() }}
    group by {{ keys }}

),

measured as (

    select
        {% for name in counted -%}
            {{ mean_of(name ~ '_total', 'observed_customers') }} as {{ name }}_mean,
            {{ mean_standard_error(name ~ '_squares', name ~ '_total', 'observed_customers') }}
                as {{ name }}_standard_error,
        {% endfor -%}
        {% for name in seconds -%}
            {{ value_mean(name, 'observed_customers') }} as {{ name }}_mean,
            {{ value_standard_error(name, 'observed_customers') }} as {{ name }}_standard_error,
        {% endfor -%}
        {% for name in billed -%}
            {{ value_mean(name, 'billed_customers') }} as {{ name }}_mean,
            {{ value_standard_error(name, 'billed_customers') }} as {{ name }}_standard_error,
        {% endfor -%}
        cohorts.*
    from cohorts

)

select
    measured.survey_type,
    measured.period_type,
    measured.period_start,
    {{ end_of_period('measured.period_type', 'measured.period_start', 'as_of.last_response_date') }}
        as period_end,
    {{ end_of_period('measured.period_type', 'measured.period_start', 'as_of.last_response_date') }}
    < as_of.as_of_date as is_complete,
    measured.nps_category,
    measured.customers,
    measured.observed_customers,
    measured.customers - measured.observed_customers as censored_customers,
    measured.billed_customers,
    {% for name in billed + (seconds | list) + counted -%}
        {{ mean_with_interval(name) }},
    {% endfor -%}
    measured.churn_known_customers,
    measured.churned_customers,
    {{ share_pct('measured.churned_customers', 'measured.churn_known_customers') }} as churned_pct,
    {% for limit in ['low', 'high'] -%}
        {{ wilson_limit(
            'measured.churned_customers', 'measured.churn_known_customers', limit
        ) }} as churned_ci_{{ limit }},
    {% endfor -%}
    measured.observed_customers >= {{ var('nps_min_responses') }} as is_reportable
from measured
cross join {{ ref('as_of') }} as as_of
