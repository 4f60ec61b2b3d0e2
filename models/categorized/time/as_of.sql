{{ config(materialized='table') }}

with

moments as (

    select
        max(responded_at) as newest_at,
        min(responded_at) as first_response_at,
        max(responded_at) as last_response_at
    from {{ ref('stg_survey_responses') }}
    union all
    select
        greatest(max(started_at), max(ended_at)) as newest_at,
        null as first_response_at,
        null as last_response_at
    from {{ ref('stg_contacts') }}
    union all
    select
        max(sent_at) as newest_at,
        null as first_response_at,
        null as last_response_at
    from {{ ref('stg_survey_invitations') }}

),

newest as (

    select
        {% if var('as_of') is none -%}
            max(newest_at) as as_of,
        {% else -%}
            {{ instant_of_var('as_of') }} as as_of,
        {% endif -%}
        min(first_response_at) as first_response_at,
        max(last_response_at) as last_response_at
    from moments

)

select
    as_of,
    {{ local_date('as_of') }} as as_of_date,
    {{ local_date('first_response_at') }} as first_response_date,
    {{ local_date('last_response_at') }} as last_response_date
from newest
