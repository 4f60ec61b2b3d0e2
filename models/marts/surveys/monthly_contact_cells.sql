{% set cell = weighting_margins() %}

with

contacts as (

    select * from {{ ref('fct_contacts') }}

),

answers as (

    select
        source_contact_id as contact_id,
        {{ category_counts() }}
    from {{ ref('fct_survey_responses') }}
    where
        survey_type = 'transactional'
        and source_contact_id is not null
    group by source_contact_id

),

labelled as (

    select
        {{ period_start('month', 'contacts.contact_date') }} as month_start,
        contacts.department_id,
        contacts.channel,
        contacts.contact_reason,
        case
            when contacts.is_resolved then 'resolved'
            when not contacts.is_resolved then 'unresolved'
            else 'unknown'
        end as resolution,
        case
            when contacts.transfers >= 2 then '2+'
            else coalesce(cast(contacts.transfers as {{ engine_type('varchar') }}), 'unknown')
        end as transfer_count,
        case when answers.responses > 0 then 1 else 0 end as answered_contacts,
        coalesce(answers.responses, 0) as responses,
        coalesce(answers.promoters, 0) as promoters,
        coalesce(answers.passives, 0) as passives,
        coalesce(answers.detractors, 0) as detractors
    from contacts
    left join answers
        on contacts.contact_id = answers.contact_id

)

select
    month_start,
    department_id,
    {{ cell | join(',\n    ') }},
    count(*) as contacts,
    cast(sum(answered_contacts) as bigint) as answered_contacts,
    {{ summed_bigints(['responses', 'promoters', 'passives', 'detractors']) }}
from labelled
group by month_start, department_id, {{ cell | join(', ') }}
