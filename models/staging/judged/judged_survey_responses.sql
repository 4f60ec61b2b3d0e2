with

responses as (

    {{ newest_versions('survey_responses') }}

),

listed as (

    select response_id from {{ ref('excluded_responses') }}
    group by response_id

)

select
    responses.*,
    -- The first that holds, in this order.
    case
        when responses.status = 'dismissed' then 'dismissed'
        when responses.is_test then 'test'
        when listed.response_id is not null then 'listed'
    end as exclusion_reason
from responses
left join listed
    on responses.response_id = listed.response_id
