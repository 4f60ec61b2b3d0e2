{% set keys = ['period_month', 'contact_reason', 'channel'] %}

with

answers as (

    select
        *,
        {{ period_start('month', 'period_date') }} as period_month
    from {{ ref('fct_survey_responses') }}

),

summed as (

    select
        {{ keys | join(',
        ') }},
        {{ practice_sums() }}
    from answers
    group by {{ keys | join(', ') }}

)

{{ row_per_driver('summed', keys) }}
