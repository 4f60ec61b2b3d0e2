-- The rule by which comments are chosen: those with words in them; of equal texts the newest; then
-- those short enough to be read aloud, the longest of them first, as it says most; then the longer
-- ones, the shortest first; the newest before older ones, and last by key.
{% set of_week = ['team', 'period_start', 'sign'] %}
{% set longest = var('nps_huddle_comment_characters') %}

with

responses as (

    select
        response_id,
        team,
        {{ period_start('week', 'period_date') }} as period_start,
        case nps_category when 'promoter' then 'positive' when 'detractor' then 'negative' end
            as sign,
        responded_at,
        lower({{ spaced_words('comment') }}) as words,
        length(comment) as characters
    from {{ ref('fct_survey_responses') }}
    where
        nps_category in ('promoter', 'detractor')
        and comment is not null

),

newest as (

    select
        *,
        row_number() over (
            partition by {{ of_week | join(', ') }}, words
            order by responded_at desc nulls last, response_id asc
        ) as newest_first
    from responses
    where words <> ''

),

ordered as (

    select
        *,
        row_number() over (
            partition by {{ of_week | join(', ') }}
            order by
                case when characters <= {{ longest }} then 0 else 1 end asc,
                case when characters <= {{ longest }} then -characters else characters end asc,
                responded_at desc nulls last,
                response_id asc
        ) as place
    from newest
    where newest_first = 1

)

select
    {{ of_week | join(', ') }},
    cast(place as integer) as place,
    response_id
from ordered
where place <= 3
