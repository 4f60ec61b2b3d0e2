with

answered as (

    select * from {{ ref('invitation_stages') }}
    where
        not is_bounced
        and hours_to_answer is not null

),

scopes as (

    {% for scope in survey_scopes() -%}
        select '{{ scope }}' as scope_type{{ " union all" if not loop.last }}
    {% endfor %}

),

members as (

    select
        scopes.scope_type,
        {{ scope_id_of('scopes.scope_type', survey_scopes()) }} as scope_id,
        answered.survey_type,
        answered.sent_date,
        answered.invitation_id,
        answered.hours_to_answer
    from answered
    cross join scopes

),

pooled as (

    select * from members
    union all
    select
        scope_type,
        scope_id,
        'all' as survey_type,
        sent_date,
        invitation_id,
        hours_to_answer
    from members

),

{{ by_longer_period('pooled', 'sent_date') }},

ranked as (

    select
        scope_type,
        scope_id,
        survey_type,
        period_type,
        period_start,
        hours_to_answer,
        row_number() over (
            partition by scope_type, scope_id, survey_type, period_type, period_start
            order by hours_to_answer, invitation_id
        ) as place,
        count(*) over (
            partition by scope_type, scope_id, survey_type, period_type, period_start
        ) as places
    from pooled_by_period

)

select
    scope_type,
    scope_id,
    survey_type,
    period_type,
    period_start,
    count(*) as timed_answers,
    {{ percentile_by_rank('hours_to_answer', 50, 'place', 'places') }} as hours_to_answer_p50,
    {{ percentile_by_rank('hours_to_answer', 90, 'place', 'places') }} as hours_to_answer_p90,
    {{ percentile_by_rank('hours_to_answer', 95, 'place', 'places') }} as hours_to_answer_p95
from ranked
group by scope_type, scope_id, survey_type, period_type, period_start
