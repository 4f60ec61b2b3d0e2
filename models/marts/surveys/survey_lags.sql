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
        hours_to_answer
    from members

),

{{ by_longer_period('pooled', 'sent_date') }}

select
    scope_type,
    scope_id,
    survey_type,
    period_type,
    period_start,
    count(*) as timed_answers,
    {{ percentile('hours_to_answer', 50) }} as hours_to_answer_p50,
    {{ percentile('hours_to_answer', 90) }} as hours_to_answer_p90,
    {{ percentile('hours_to_answer', 95) }} as hours_to_answer_p95
from pooled_by_period
group by scope_type, scope_id, survey_type, period_type, period_start
