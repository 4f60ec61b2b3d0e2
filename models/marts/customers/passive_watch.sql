{% set actions = ['near', 'direction'] %}

with

passives as (

    select
        *,
        case
            when previous_score is null then 'first'
            when score > previous_score then 'up'
            when score < previous_score then 'down'
            else 'level'
        end as direction
    from {{ ref('customer_score_journey') }}
    where is_latest and nps_category = 'passive'

),

-- Where the other two categories begin.
cuts as (

    select
        min(case when category = 'promoter' then score end) as promoters_from,
        max(case when category = 'detractor' then score end) as detractors_to
    from {{ ref('nps_categories') }}

),

placed as (

    select
        passives.*,
        cuts.promoters_from - passives.score as points_to_promoter,
        passives.score - cuts.detractors_to as points_to_detractor,
        case
            when cuts.promoters_from - passives.score < passives.score - cuts.detractors_to
                then 'promoter'
            when cuts.promoters_from - passives.score > passives.score - cuts.detractors_to
                then 'detractor'
            else 'neither'
        end as near
    from passives
    cross join cuts

),

customers as (

    select * from {{ ref('dim_customers') }}

)

select
    placed.survey_type,
    placed.customer_id,
    customers.segment,
    customers.region,
    customers.product_line,
    placed.response_id,
    placed.response_date,
    {{ days_between('placed.response_date', 'as_of.as_of_date') }} as days_since_last_answer,
    placed.answers,
    placed.score,
    placed.previous_score,
    placed.previous_nps_category,
    placed.category_streak as passive_streak,
    placed.direction,
    placed.points_to_promoter,
    placed.points_to_detractor,
    placed.near,
    coalesce(customers.churned_on <= as_of.as_of_date, false) as has_left,
    actions.action
from placed
inner join customers
    on placed.customer_id = customers.customer_id
-- A rule that the business left out is an empty action, not a lost customer.
left join {{ ref('passive_actions') }} as actions
    on
        placed.near = actions.near
        and placed.direction = actions.direction
cross join {{ ref('as_of') }} as as_of
