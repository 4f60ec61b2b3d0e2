-- Which customers should we keep an eye on?
-- Customers who have not left and whose newest answer is a passive one, a point from detractor;
-- those who came down first, the newest answers of them first. The action is the business's own, by
-- seed passive_actions.
with

passives as (

    select *
    from {{ ref('passive_watch') }}
    where
        survey_type = 'all'
        and near = 'detractor'
        and not has_left

)

select
    customer_id,
    segment,
    region,
    product_line,
    response_date,
    days_since_last_answer,
    score,
    previous_score,
    direction,
    passive_streak,
    action
from passives
order by
    case direction when 'down' then 0 else 1 end asc,
    response_date desc,
    customer_id asc
