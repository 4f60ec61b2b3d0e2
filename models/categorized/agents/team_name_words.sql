-- Delivered names, which no mart shows: here so that they can be taken out of what a team reads.
{% set words_of_a_name = 5 %}

with

agents as (

    select
        agent_id,
        {{ spaced_words('agent_name') }} as name_words
    from {{ ref('stg_agents') }}

),

assignments as (

    select * from {{ ref('stg_agent_assignments') }}

),

words as (

    {% for place in range(1, words_of_a_name + 1) -%}
        select
            agent_id,
            {{ word_at('name_words', place) }} as delivered_word
        from agents
        {{- "
        union all
        " if not loop.last }}
    {% endfor %}

),

placed as (

    select
        assignments.team,
        words.delivered_word
    from words
    inner join assignments
        on words.agent_id = assignments.agent_id
    where assignments.team is not null
    union all
    -- Whoever has no team, and answers without a contact, may speak of anybody.
    select
        'unknown' as team,
        delivered_word
    from words

)

select
    team,
    lower(delivered_word) as name_word,
    min(delivered_word) as delivered_word
from placed
-- Initials, and what is as short, would be found in every other text.
where length(delivered_word) >= 3
group by team, lower(delivered_word)
