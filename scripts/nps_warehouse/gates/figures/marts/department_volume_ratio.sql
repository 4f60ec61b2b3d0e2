{#- Contacts of a department in the last complete month against its mean month before. A department
    without any contact in the month has a ratio of 0. -#}
with

{{ recent_periods() }},

counted as (

    select
        contacts.department_id,
        sum(case when contacts.contact_date >= months.month_start then 1 else 0 end) as recent,
        sum(case when contacts.contact_date < months.month_start then 1 else 0 end) as past
    from marts.fct_contacts as contacts
    cross join months
    where
        contacts.contact_date >= months.past_start
        and contacts.contact_date < months.month_after
    group by contacts.department_id

),

-- Data that begins later than the past has fewer months to take the mean of.
past_months as (

    select count(distinct {{ period_start('month', 'contacts.contact_date') }}) as months
    from marts.fct_contacts as contacts
    cross join months
    where
        contacts.contact_date >= months.past_start
        and contacts.contact_date < months.month_start

)

select
    'fct_contacts' as table_name,
    'department_id' as column_name,
    'department ' || department_id as part,
    1.0 * counted.recent * past_months.months / counted.past as value,
    1.0 * counted.past / past_months.months as volume
from counted
cross join past_months
where counted.past > 0
