{{ config(enabled=var('qualtrics_schema') is not none) }}

with

responses as (

    select * from {{ source('qualtrics', 'survey_response') }}

),

-- An id of a question means another question in another survey; its text says which it is.
answers_to_the_question as (

    select
        response_id,
        coalesce(nullif(cast(value as varchar), ''), cast(text as varchar)) as score,
        row_number() over (
            partition by response_id
            order by _fivetran_synced desc nulls last, _fivetran_id desc nulls last
        ) as age
    from {{ source('qualtrics', 'question_response') }}
    where {{ matches('lower(question)', var('qualtrics_nps_question')) }}

),

invited as (

    select
        response_id,
        distribution_id,
        contact_id,
        row_number() over (
            partition by response_id
            order by
                sent_at desc nulls last, distribution_id desc nulls last, contact_id desc nulls last
        ) as age
    from {{ source('qualtrics', 'distribution_contact') }}
    where response_id is not null

),

presented as (

    select
        responses.*,
        answers_to_the_question.score,
        invited.distribution_id,
        invited.contact_id as directory_contact_id
    from responses
    -- Inner: who was not asked the question is no answer to it.
    inner join answers_to_the_question
        on responses.id = answers_to_the_question.response_id
    left join invited
        on
            responses.id = invited.response_id
            and invited.age = 1
    where answers_to_the_question.age = 1

)

select
    cast(id as varchar) as response_id,
    score,
    cast(cast(recorded_date as timestamp) as varchar) || 'Z' as responded_at,
    cast(null as varchar) as survey_type,
    cast(survey_id as varchar) as survey_id,
    distribution_id || '-' || directory_contact_id as invitation_id,
    cast(null as varchar) as contact_id,
    cast(directory_contact_id as varchar) as customer_id,
    case lower(distribution_channel)
        when 'email' then 'email'
        when 'smsinvite' then 'sms'
        when 'anonymous' then 'web'
        when 'gl' then 'web'
        when 'qr' then 'web'
        else cast(distribution_channel as varchar)
    end as survey_channel,
    cast(null as varchar) as csat_score,
    cast(null as varchar) as effort_score,
    cast(null as varchar) as comment,
    cast(user_language as varchar) as language,
    case
        when lower(cast(finished as varchar)) in ('1', 'true') then 'complete' else 'partial'
    end as status,
    -- A sum of flags: 1 preview, 2 test, 4 imported, 8 spam, 16 offline.
    case when cast(status as varchar) in ('1', '2', '9', '17') then 'true' else 'false' end
        as is_test,
    cast(cast(last_modified_date as timestamp) as varchar) || 'Z' as updated_at,
    cast(null as varchar) as _line_error,
    'qualtrics.survey_response' as _source_file,
    row_number() over (order by id) as _source_row
from presented
