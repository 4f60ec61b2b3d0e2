-- A text with more words of names than that is a list of people, and not read out.
{% set most_names = 6 %}

with

comments as (

    select
        chosen.*,
        responses.score,
        responses.contact_reason,
        responses.channel,
        responses.comment,
        {{ marked_words('responses.comment') }} as marked_comment
    from {{ ref('huddle_comments') }} as chosen
    inner join {{ ref('fct_survey_responses') }} as responses
        on chosen.response_id = responses.response_id

),

named as (

    select
        comments.response_id,
        comments.marked_comment,
        name_words.name_word,
        name_words.delivered_word,
        row_number() over (
            partition by comments.response_id
            order by name_words.name_word
        ) as name_place
    from comments
    inner join {{ ref('team_name_words') }} as name_words
        on comments.team = name_words.team
    where position({{ marked_word('name_words.name_word') }} in lower(comments.marked_comment)) > 0

),

found_names as (

    select
        response_id,
        {% for place in range(1, most_names + 1) -%}
            max(case name_place when {{ place }} then name_word end) as name_{{ place }},
            max(case name_place when {{ place }} then delivered_word end) as delivered_{{ place }},
        {% endfor -%}
        max(marked_comment) as without_0,
        count(*) as name_count
    from named
    group by response_id

),

{% for place in range(1, most_names + 1) -%}
    nameless_{{ place }} as (

        select
            *,
            {{ nameless('without_' ~ (place - 1), 'name_' ~ place, 'delivered_' ~ place) }}
                as without_{{ place }}
        from {{ 'found_names' if place == 1 else 'nameless_' ~ (place - 1) }}

    ),

{% endfor -%}
judged as (

    select
        response_id,
        replace(
            {{ unmarked_words('without_' ~ most_names) }}, '[agent] [agent]', '[agent]'
        ) as nameless_comment,
        name_count <= {{ most_names }}
        {%- for place in range(1, most_names + 1) %}
            and position(
                {{ marked_word_or_none('name_' ~ place) }} in lower(without_{{ most_names }})
            ) = 0
        {%- endfor %} as is_nameless
    from nameless_{{ most_names }}

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
    coalesce(judged.nameless_comment, comments.comment) as comment
from comments
left join judged
    on comments.response_id = judged.response_id
where coalesce(judged.is_nameless, true)
