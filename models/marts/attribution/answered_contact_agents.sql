with

answered as (

    select contact_id
    from {{ ref('fct_survey_responses') }}
    where contact_id <> 'unknown'
    group by contact_id

),

-- Legs without an agent (a queue, a bot) are nobody's.
legs as (

    select
        legs.contact_id,
        legs.agent_id,
        legs.leg_number,
        coalesce(legs.handle_seconds, 0) as handle_seconds,
        case when legs.handle_seconds is null then 1 else 0 end as is_untimed
    from {{ ref('categorized_contact_legs') }} as legs
    inner join answered
        on legs.contact_id = answered.contact_id
    where legs.source_agent_id is not null

),

placed as (

    select
        *,
        row_number() over (partition by contact_id order by leg_number) as from_first,
        -- Of two legs of the same length the later one.
        row_number() over (
            partition by contact_id
            order by handle_seconds desc nulls last, leg_number desc nulls last
        ) as from_longest,
        count(*) over (partition by contact_id) as legs,
        sum(is_untimed) over (partition by contact_id) as untimed_legs,
        {{ sum_of_doubles('handle_seconds', over='partition by contact_id') }} as total_seconds
    from legs

),

weighted as (

    select
        *,
        -- By time where all of it is known, else the same for each leg.
        case
            when untimed_legs = 0 and total_seconds > 0 then handle_seconds / total_seconds
            else {{ mean_of('1', 'legs') }}
        end as weight
    from placed

)

select
    contact_id,
    agent_id,
    max(case when from_first = 1 then 1 else 0 end) = 1 as is_first_agent,
    max(case when from_longest = 1 then 1 else 0 end) = 1 as is_longest_leg,
    {{ sum_of_doubles('weight') }} as weight
from weighted
group by contact_id, agent_id
