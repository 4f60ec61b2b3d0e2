with

contacts as (

    select
        paths.transfer_path,
        {{ period_start('month', 'contacts.contact_date') }} as month_start
    from {{ ref('contact_paths') }} as paths
    inner join {{ ref('fct_contacts') }} as contacts
        on paths.contact_id = contacts.contact_id

)

select
    transfer_path,
    month_start,
    count(*) as contacts
from contacts
group by transfer_path, month_start
