with

counts as (

    select * from {{ ref('period_path_counts') }}

),

contacts as (

    select
        period_type,
        period_start,
        transfer_path,
        contacts,
        sum(contacts) over (partition by period_type, period_start) as all_contacts
    from {{ ref('period_path_contacts') }}

),

counted as (

    select
        counts.*,
        coalesce(contacts.contacts, 0) as contacts,
        {{ share_pct('contacts.contacts', 'contacts.all_contacts') }} as contact_share_pct,
        sum(counts.responses) over (
            partition by counts.survey_type, counts.period_type, counts.period_start
        ) as all_responses
    from counts
    left join contacts
        on
            counts.period_type = contacts.period_type
            and counts.period_start = contacts.period_start
            and counts.transfer_path = contacts.transfer_path

),

{{ nps_block_of('counted') }}

select
    {{ period_columns() }},
    transfer_path,
    {{ nps_block() }},
    {{ share_pct('responses', 'all_responses') }} as response_share_pct,
    contacts,
    contact_share_pct
from with_block
