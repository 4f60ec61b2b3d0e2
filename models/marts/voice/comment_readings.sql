with

responses as (

    select * from {{ ref('fct_survey_responses') }}
    where comment is not null

),

-- Kept, lest the comment is folded anew for each pattern.
folded as {{ materialized() }} (

    select
        response_id,
        language,
        {{ folded_comment('comment') }} as folded_text
    from responses

)

-- The functions are made of these seeds at the start of a run:
-- depends_on: {{ ref('comment_themes') }}, {{ ref('sentiment_words') }}
-- depends_on: {{ ref('negation_words') }}
{{ comments_read('folded') }}
