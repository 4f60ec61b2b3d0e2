{% set keys = 'survey_type, period_type, period_start, value_move, segment' %}

with

known as (

    select * from {{ ref('customer_outcomes') }}
    where customer_value is not null

),

-- What a promoter is worth beside a detractor, what it is worth to stay one or to be one no more.
outcomes as (

    select
        *,
        'promoter_over_detractor' as value_move,
        nps_category = 'promoter' as has_succeeded
    from known
    where nps_category in ('promoter', 'detractor')
    union all
    select
        *,
        'keep_promoter' as value_move,
        nps_category = 'promoter' as has_succeeded
    from known
    where previous_nps_category = 'promoter'
    union all
    select
        *,
        'win_back_detractor' as value_move,
        nps_category <> 'detractor' as has_succeeded
    from known
    where previous_nps_category = 'detractor'

),

{{ by_longer_period('outcomes', 'response_date') }},

sums as (

    select
        {{ keys }},
        count(case when has_succeeded then 1 end) as succeeded_customers,
        {{ value_sums('succeeded', 'case when has_succeeded then customer_value end') }},
        count(case when not has_succeeded then 1 end) as failed_customers,
        {{ value_sums('failed', 'case when not has_succeeded then customer_value end') }}
    from outcomes_by_period
    -- A customer's first answer of the period; of moves the first that has one before it.
    where
        {{ enters_cohort() }}
        or (answer_number = 2 and value_move <> 'promoter_over_detractor')
    group by {{ keys }}

)

select
    {% for side in ['succeeded', 'failed'] -%}
        {{ value_mean(side, side ~ '_customers') }} as {{ side }}_mean,
        {{ value_standard_error(side, side ~ '_customers') }} as {{ side }}_standard_error,
    {% endfor -%}
    sums.*
from sums
