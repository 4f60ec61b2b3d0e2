{% set keys = 'survey_type, period_type, period_start, move, segment' %}

with

outcomes as (

    select
        *,
        case previous_nps_category
            when 'promoter' then 'keep_promoter'
            else 'win_back_detractor'
        end as move,
        case previous_nps_category
            when 'promoter' then nps_category = 'promoter'
            else nps_category <> 'detractor'
        end as has_succeeded
    from {{ ref('customer_outcomes') }}
    where
        previous_nps_category in ('promoter', 'detractor')
        and customer_value is not null

),

{{ by_longer_period('outcomes', 'response_date') }},

sums as (

    select
        {{ keys }},
        {% for side, condition in {
            'succeeded': 'has_succeeded', 'failed': 'not has_succeeded',
        }.items() -%}
            cast(sum(case when {{ condition }} then 1 else 0 end) as bigint) as {{ side }}_customers,
            {{ value_sums(side, 'case when ' ~ condition ~ ' then customer_value else 0 end') }}
            {{- "," if not loop.last }}
        {% endfor %}
    from outcomes_by_period
    -- A customer's first answer of the period that has one before it.
    where answer_number = 2 or {{ enters_cohort() }}
    group by {{ keys }}

)

select
    {{ keys.split(', ') | join(',
    ') }},
    {% for side in ['succeeded', 'failed'] -%}
        {{ side }}_customers,
        {{ side }}_total,
        {{ side }}_squares,
        {{ value_mean(side, side ~ '_customers') }} as {{ side }}_mean,
        {{ value_standard_error(side, side ~ '_customers') }} as {{ side }}_standard_error
        {{- "," if not loop.last }}
    {% endfor %}
from sums
