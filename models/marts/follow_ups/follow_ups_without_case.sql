with

follow_ups as (

    select * from {{ ref('categorized_follow_ups') }}

),

responses as (

    select
        response_id,
        nps_category
    from {{ ref('fct_survey_responses') }}

)

select
    follow_ups.follow_up_id,
    follow_ups.response_id as source_response_id,
    follow_ups.owner_agent_id,
    follow_ups.opened_at,
    follow_ups.closed_at,
    case
        when follow_ups.response_id is null then 'no answer named'
        when responses.response_id is null then 'unknown answer'
        else responses.nps_category
    end as reason
from follow_ups
left join responses
    on follow_ups.response_id = responses.response_id
where coalesce(responses.nps_category, 'unknown') <> 'detractor'
