{% set same = ['customer_id'] + (['contact_reason'] if var('nps_repeat_same_reason') else []) %}
{% set last_repeat = plus_days('started_at', repeat_days()) %}

with

contacts as (

    select
        contact_id,
        customer_id,
        contact_reason,
        channel,
        started_at,
        handle_seconds
    from {{ ref('fct_contacts') }}
    -- Of an unknown customer nobody knows the contact before.
    where customer_id <> 'unknown'

),

-- One sort for both neighbours: the contact before is the one after, seen from the other side.
neighbours as (

    select
        *,
        {% for neighbour, direction in {'previous': 'lag', 'next': 'lead'}.items() -%}
            {%- for column in ['started_at', 'channel', 'handle_seconds'] -%}
                {{ direction }}({{ column }}) over (
                    partition by {{ same | join(', ') }}
                    order by started_at, contact_id
                ) as {{ neighbour }}_{{ column }},
            {% endfor -%}
        {%- endfor -%}
        {{ last_repeat }} as repeats_until
    from contacts

),

compared as (

    select
        neighbours.*,
        coalesce(
            neighbours.started_at
            <= {{ plus_days('neighbours.previous_started_at', repeat_days()) }},
            false
        ) as is_repeat,
        -- Whether a contact is repeated is known when its days are over.
        case
            when neighbours.repeats_until <= as_of.as_of
                then coalesce(neighbours.next_started_at <= neighbours.repeats_until, false)
        end as is_repeated
    from neighbours
    cross join {{ ref('as_of') }} as as_of

)

select
    contact_id,
    is_repeat,
    is_repeat and channel <> previous_channel as is_channel_switch,
    is_repeated,
    case when is_repeated then next_handle_seconds end as repeat_handle_seconds
from compared
