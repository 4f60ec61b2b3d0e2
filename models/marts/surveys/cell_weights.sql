{% set group = 'scope_type, scope_id, period_type, period_start' %}

with

cells as (

    select
        {{ group }},
        channel,
        contact_reason,
        sum(contacts) as contacts,
        sum(responses) as responses
    from {{ ref('weighting_cells') }}
    group by {{ group }}, channel, contact_reason

),

-- What nobody in a cell answered for, the channel's other cells stand in for, each by its share of
-- them; a channel without any answer is shared out over the other channels in the same way.
channels as (

    select
        *,
        sum(contacts) over (partition by {{ group }}, channel) as channel_contacts,
        sum(responses) over (partition by {{ group }}, channel) as channel_responses,
        sum(case when responses > 0 then contacts else 0 end) over (
            partition by {{ group }}, channel
        ) as channel_covered
    from cells

),

totals as (

    select
        *,
        sum(contacts) over (partition by {{ group }}) as group_contacts,
        sum(responses) over (partition by {{ group }}) as group_responses,
        sum(case when channel_responses > 0 then contacts else 0 end) over (
            partition by {{ group }}
        ) as group_covered
    from channels

),

targeted as (

    select
        *,
        cast(contacts as {{ double_type() }})
        * channel_contacts / channel_covered
        * group_contacts / group_covered as contacts_stood_for
    from totals
    where responses > 0

)

select
    {{ group }},
    channel,
    contact_reason,
    cast(responses as bigint) as responses,
    contacts_stood_for,
    -- On average an answer weighs 1.
    {{ cell_weight('contacts_stood_for', 'responses') }}
    * group_responses / group_contacts as weight
from targeted
