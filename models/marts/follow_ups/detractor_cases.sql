with

detractors as (

    select * from {{ ref('fct_survey_responses') }}
    where nps_category = 'detractor'

),

followed as (

    select
        detractors.*,
        coalesce(follow_ups.follow_ups, 0) as follow_ups,
        follow_ups.follow_up_opened_at,
        follow_ups.first_contacted_at,
        follow_ups.closed_at,
        -- Who can't be reached is not contacted: the case was dealt with when it was closed.
        coalesce(follow_ups.first_contacted_at, follow_ups.closed_at) as attended_at,
        follow_ups.outcome,
        follow_ups.owner_agent_id,
        follow_ups.root_cause
    from detractors
    left join {{ ref('case_follow_ups') }} as follow_ups
        on detractors.response_id = follow_ups.response_id

)

select
    'case-' || followed.response_id as case_id,
    followed.response_id,
    followed.customer_id,
    followed.survey_type,
    followed.score,
    priorities.has_comment,
    followed.department_id,
    followed.agent_id,
    followed.team,
    followed.channel,
    followed.contact_reason,
    followed.segment,
    followed.period_date,
    followed.responded_at as opened_at,
    followed.follow_ups,
    followed.follow_up_opened_at,
    followed.first_contacted_at,
    followed.closed_at,
    followed.attended_at,
    case
        when followed.closed_at is not null then 'closed'
        when followed.first_contacted_at is not null then 'contacted'
        when followed.follow_ups > 0 then 'assigned'
        else 'new'
    end as case_status,
    followed.outcome,
    followed.owner_agent_id,
    followed.root_cause,
    coalesce(ranks.priority, 'unknown') as priority,
    ranks.priority_rank,
    priorities.priority_rule,
    priorities.revenue_12_months,
    priorities.previous_detractor_at,
    priorities.is_repeat_detractor,
    {{ business_hours('clocks.opened_microseconds', 'clocks.contacted_microseconds') }}
        as business_hours_to_first_contact,
    {{ business_hours('clocks.opened_microseconds', 'clocks.closed_microseconds') }}
        as business_hours_to_close,
    case
        when followed.closed_at is null
            then {{ business_hours('clocks.opened_microseconds', 'clocks.measured_microseconds') }}
    end as business_hours_open,
    ranks.sla_hours,
    deadlines.due_at,
    case
        when followed.attended_at is not null then followed.attended_at <= deadlines.due_at
        when deadlines.due_at < clocks.measured_at then false
    end as is_within_sla,
    followed.attended_at is null
    and coalesce(deadlines.due_at < clocks.measured_at, false) as is_overdue
from followed
left join {{ ref('case_clocks') }} as clocks
    on followed.response_id = clocks.response_id
left join {{ ref('case_priorities') }} as priorities
    on followed.response_id = priorities.response_id
left join {{ ref('priority_ranks') }} as ranks
    on priorities.priority_rule = ranks.rule_number
left join {{ ref('case_deadlines') }} as deadlines
    on followed.response_id = deadlines.response_id
