with

answers as (

    select
        survey_type,
        transfer_path,
        {{ period_start('month', 'period_date') }} as month_start,
        nps_category
    from {{ ref('response_drivers') }}

)

select
    survey_type,
    transfer_path,
    month_start,
    {{ category_counts() }}
from answers
group by survey_type, transfer_path, month_start
