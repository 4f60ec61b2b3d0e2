{% set months_to_january = (13 - var('nps_fiscal_year_start_month') | int(1)) % 12 %}

with

digits as (

    {% for digit in range(10) -%}
        select {{ digit }} as digit{{ " union all" if not loop.last }}
    {% endfor %}

),

day_numbers as (

    select
        ones.digit + 10 * tens.digit + 100 * hundreds.digit + 1000 * thousands.digit
        + 10000 * ten_thousands.digit as day_number
    from digits as ones
    cross join digits as tens
    cross join digits as hundreds
    cross join digits as thousands
    cross join digits as ten_thousands

),

fact_dates as (

    select
        min(contact_date) as first_date,
        max(contact_date) as last_date
    from {{ ref('fct_contacts') }}
    union all
    select
        min(least(response_date, period_date)) as first_date,
        max(greatest(response_date, period_date)) as last_date
    from {{ ref('fct_survey_responses') }}
    union all
    select
        min(sent_date) as first_date,
        max(sent_date) as last_date
    from {{ ref('fct_survey_invitations') }}
    union all
    select
        as_of_date as first_date,
        as_of_date as last_date
    from {{ ref('as_of') }}

),

bounds as (

    select
        {{ period_start('year', 'min(first_date)') }} as first_date,
        {{ period_end('year', period_start('year', 'max(last_date)')) }} as last_date
    from fact_dates

),

dates as (

    select cast({{ plus_days('bounds.first_date', 'day_numbers.day_number') }} as date) as date_day
    from day_numbers
    cross join bounds
    where {{ plus_days('bounds.first_date', 'day_numbers.day_number') }} <= bounds.last_date

),

-- The month a fiscal year begins with, moved to January, makes fiscal arithmetic plain.
shifted as (

    select
        date_day,
        cast({{ plus_months('date_day', months_to_january) }} as date) as fiscal_date
    from dates

)

select
    date_day,
    {{ iso_weekday('date_day') }} as weekday,
    {{ iso_weekday('date_day') }} >= 6 as is_weekend,
    {{ period_start('week', 'date_day') }} as week_start,
    cast(extract(week from date_day) as integer) as iso_week,
    {{ period_start('month', 'date_day') }} as month_start,
    cast(extract(month from date_day) as integer) as month_number,
    {{ period_start('quarter', 'date_day') }} as quarter_start,
    cast(extract(quarter from date_day) as integer) as quarter_number,
    {{ period_start('year', 'date_day') }} as year_start,
    cast(extract(year from date_day) as integer) as year_number,
    -- Named after the calendar year in which it ends.
    cast(extract(year from fiscal_date) as integer) as fiscal_year,
    cast(extract(quarter from fiscal_date) as integer) as fiscal_quarter,
    cast(extract(month from fiscal_date) as integer) as fiscal_month
from shifted
