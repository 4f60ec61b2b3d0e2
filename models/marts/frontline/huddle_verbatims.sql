with

comments as (

    select * from {{ ref('huddle_comments') }}

),

name_words as (

    select * from {{ ref('team_name_words') }}

),

marked as (

    select
        *,
        {{ marked_words('comment') }} as marked_comment
    from comments

),

named as (

    select
        marked.response_id,
        name_words.name_word,
        name_words.delivered_word,
        row_number() over (
            partition by marked.response_id
            order by name_words.name_word
        ) as name_place
    from marked
    inner join name_words
        on marked.team = name_words.team
    where position({{ marked_word('name_words.name_word') }} in lower(marked.marked_comment)) > 0

),

names as (

    select
        response_id,
        {% for place in range(1, most_names() + 1) -%}
            max(case name_place when {{ place }} then name_word end) as name_{{ place }},
            max(case name_place when {{ place }} then delivered_word end) as delivered_{{ place }},
        {% endfor -%}
        count(*) as names
    from named
    group by response_id

),

nameless as (

    select
        names.*,
        {{ nameless('marked.marked_comment', 'names') }} as nameless_comment
    from marked
    inner join names
        on marked.response_id = names.response_id

),

-- A text with more names than that is a list of people, and not read out.
judged as (

    select
        nameless.response_id,
        nameless.nameless_comment,
        nameless.names > {{ most_names() }}
        or {{ is_still_named('nameless.nameless_comment', 'nameless') }} as is_still_named
    from nameless

)

select
    comments.team,
    comments.period_start,
    comments.sign,
    comments.place,
    comments.response_id,
    comments.score,
    comments.contact_reason,
    comments.channel,
    case
        when judged.response_id is null then comments.comment
        else
            replace(
                {{ unmarked_words('judged.nameless_comment') }}, '[agent] [agent]', '[agent]'
            )
    end as comment
from comments
left join judged
    on comments.response_id = judged.response_id
where not coalesce(judged.is_still_named, false)
