{% set keys = 'survey_type, period_type, period_start, move, segment' %}

with

known as (

    select * from {{ ref('customer_outcomes') }}
    where customer_value is not null

),

-- What a promoter is worth beside a detractor, and what it is worth to stay one or to stop being one.
outcomes as (

    select
        *,
        'promoter_over_detractor' as move,
        nps_category = 'promoter' as has_succeeded
    from known
    where nps_category in ('promoter', 'detractor')
    union all
    select
        *,
        'keep_promoter' as move,
        nps_category = 'promoter' as has_succeeded
    from known
    where previous_nps_category = 'promoter'
    union all
    select
        *,
        'win_back_detractor' as move,
        nps_category <> 'detractor' as has_succeeded
    from known
    where previous_nps_category = 'detractor'

),

{{ by_longer_period('outcomes', 'response_date') }},

sums as (

    select
        {{ keys }},
        {% for side, condition in {
            'succeeded': 'has_succeeded', 'failed': 'not has_succeeded',
        }.items() -%}
            cast(sum(case when {{ condition }} then 1 else 0 end) as bigint) as {{ side }}_customers,
            {{ value_sums(side, 'case when ' ~ condition ~ ' then customer_value end') }}
            {{- "," if not loop.last }}
        {% endfor %}
    from outcomes_by_period
    -- A customer's first answer of the period; of moves the first that has one before it.
    where
        {{ enters_cohort() }}
        or (answer_number = 2 and move <> 'promoter_over_detractor')
    group by {{ keys }}

)

select
    {{ keys.split(', ') | join(',
    ') }},
    {% for side in ['succeeded', 'failed'] -%}
        {{ side }}_customers,
        {{ side }}_total,
        {{ side }}_squares,
        {{ side }}_least,
        {{ side }}_greatest,
        {{ value_mean(side, side ~ '_customers') }} as {{ side }}_mean,
        {{ value_standard_error(side, side ~ '_customers') }} as {{ side }}_standard_error
        {{- "," if not loop.last }}
    {% endfor %}
from sums
