{% set driver = 'handle_seconds' %}
{% set handled = 'contacts.handle_seconds <= ' ~ longest_handle_seconds() %}
{% set repeated = 'repeats.repeat_handle_seconds <= ' ~ longest_handle_seconds() %}

with

contacts as (

    select * from {{ ref('fct_contacts') }}

),

repeats as (

    select * from {{ ref('contact_repeats') }}

),

ranges as (

    select * from {{ ref('driver_band_ranges') }}
    where driver = '{{ driver }}'

),

answers as (

    select
        contact_id,
        {{ category_counts() }}
    from {{ ref('fct_survey_responses') }}
    group by contact_id

),

joined as (

    select
        contacts.contact_reason,
        coalesce(ranges.band, 'unknown') as handle_band,
        {{ period_start('month', 'contacts.contact_date') }} as month_start,
        contacts.is_resolved,
        repeats.is_repeated,
        -- A handle time that is a slip of the source is left out of the averages.
        case when {{ handled }} then contacts.handle_seconds end as handle_seconds,
        case when repeats.is_repeated and {{ repeated }} then repeats.repeat_handle_seconds end
            as repeat_handle_seconds,
        coalesce(answers.responses, 0) as responses,
        coalesce(answers.promoters, 0) as promoters,
        coalesce(answers.passives, 0) as passives,
        coalesce(answers.detractors, 0) as detractors
    from contacts
    left join ranges
        on
            contacts.handle_seconds > ranges.above
            and contacts.handle_seconds <= ranges.up_to
    left join repeats
        on contacts.contact_id = repeats.contact_id
    left join answers
        on contacts.contact_id = answers.contact_id

)

select
    contact_reason,
    handle_band,
    month_start,
    {{ contact_measures() }},
    count(is_repeated) as followed_contacts,
    cast(sum(case when is_repeated then 1 else 0 end) as bigint) as repeated,
    count(repeat_handle_seconds) as timed_repeats,
    coalesce({{ sum_of_doubles('repeat_handle_seconds') }}, {{ double_literal(0) }})
        as repeat_handle_seconds_total,
    {{ summed_counts() }}
from joined
group by contact_reason, handle_band, month_start
