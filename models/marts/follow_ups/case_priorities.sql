with

detractors as (

    select
        *,
        case when customer_id <> 'unknown' then customer_id end as known_customer_id
    from {{ ref('fct_survey_responses') }}
    where nps_category = 'detractor'

),

valued as (

    select * from {{ ref('case_revenue') }}

),

severe as (

    select
        detractors.response_id,
        detractors.score,
        detractors.segment,
        valued.revenue_12_months,
        valued.response_id is not null as revenue_is_known,
        coalesce(trim(detractors.comment) <> '', false) as has_comment,
        case
            when detractors.known_customer_id is not null
                then lag(detractors.responded_at) over (
                    partition by detractors.known_customer_id
                    order by detractors.responded_at, detractors.response_id
                )
        end as previous_detractor_at,
        detractors.responded_at
    from detractors
    left join valued
        on detractors.response_id = valued.response_id

),

judged as (

    select
        *,
        coalesce(
            {{ plus_days('previous_detractor_at', var('nps_repeat_detractor_days')) }}
            >= responded_at,
            false
        ) as is_repeat_detractor
    from severe

),

-- An empty condition is what the case is itself, so it holds.
applied as (

    select
        judged.response_id,
        min(rules.rule_number) as priority_rule
    from judged
    inner join {{ ref('case_priority_rules') }} as rules
        on
            judged.segment = coalesce(rules.segment, judged.segment)
            and judged.revenue_is_known
            = coalesce(rules.revenue_is_known, judged.revenue_is_known)
            and coalesce(judged.revenue_12_months, 0)
            >= coalesce(rules.revenue_at_least, judged.revenue_12_months, 0)
            and judged.score <= coalesce(rules.score_at_most, judged.score)
            and judged.has_comment = coalesce(rules.has_comment, judged.has_comment)
            and judged.is_repeat_detractor = coalesce(rules.is_repeat, judged.is_repeat_detractor)
    group by judged.response_id

)

select
    judged.response_id,
    judged.revenue_12_months,
    judged.has_comment,
    judged.previous_detractor_at,
    judged.is_repeat_detractor,
    applied.priority_rule
from judged
left join applied
    on judged.response_id = applied.response_id
