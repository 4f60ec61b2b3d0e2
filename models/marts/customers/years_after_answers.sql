{% set counted = ['contacts', 'repeat_contacts', 'handle_seconds', 'repeat_handle_seconds'] %}

with

answers as (

    select * from {{ ref('fct_survey_responses') }}
    where customer_id <> 'unknown'

),

customers as (

    select customer_id from answers
    group by customer_id

),

contacts as (

    select
        fct_contacts.customer_id,
        fct_contacts.started_at,
        coalesce(fct_contacts.handle_seconds, 0) as handle_seconds,
        repeats.is_repeat
    from {{ ref('fct_contacts') }} as fct_contacts
    left join {{ ref('contact_repeats') }} as repeats
        on fct_contacts.contact_id = repeats.contact_id
    inner join customers
        on fct_contacts.customer_id = customers.customer_id

),

-- What a customer does, in one line of time; an answer marks where its year begins and ends.
events as (

    select
        customer_id,
        null as response_id,
        0 as side,
        started_at as happened_at,
        1 as contacts,
        case when is_repeat then 1 else 0 end as repeat_contacts,
        handle_seconds,
        case when is_repeat then handle_seconds else 0 end as repeat_handle_seconds,
        0 as revenue
    from contacts
    union all
    select
        revenue.customer_id,
        null as response_id,
        0 as side,
        {{ local_to_utc('cast(revenue.month as timestamp)') }} as happened_at,
        0 as {{ counted | join(', 0 as ') }},
        revenue.revenue
    from {{ ref('categorized_customer_revenue') }} as revenue
    inner join customers
        on revenue.customer_id = customers.customer_id
    {% for side, months in {-1: 0, 1: 12}.items() -%}
        union all
        select
            customer_id,
            response_id,
            {{ side }} as side,
            {{ plus_months('responded_at', months) }} as happened_at,
            0 as {{ counted | join(', 0 as ') }},
            0 as revenue
        from answers
    {% endfor %}

),

-- All up to an instant, what happens at it included: the rows of one instant are peers.
running as (

    select
        response_id,
        side,
        {% for column in counted -%}
            sum({{ column }}) over (partition by customer_id order by happened_at) as {{ column }},
        {% endfor -%}
        {{ sum_of_doubles('revenue', over='partition by customer_id order by happened_at') }}
            as revenue
    from events

)

select
    response_id,
    {% for column in counted -%}
        cast(sum(side * {{ column }}) as bigint) as {{ column }},
    {% endfor -%}
    {{ sum_of_doubles('side * revenue') }} as revenue
from running
where response_id is not null
group by response_id
