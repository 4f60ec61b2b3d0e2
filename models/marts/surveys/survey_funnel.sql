{% set keys = ['scope_type', 'scope_id', 'survey_type', 'period_type', 'period_start'] %}

with

counts as (

    select * from {{ ref('period_funnel_counts') }}

),

lags as (

    select * from {{ ref('survey_lags') }}

),

fatigue as (

    select * from {{ ref('survey_fatigue') }}

),

as_of as (

    select * from {{ ref('as_of') }}

),

-- How long nearly all answers take, of all the answers to this survey type.
company_lags as (

    select
        survey_type,
        hours_to_answer_p95
    from lags
    where
        scope_type = 'company'
        and period_type = 'all'

)

select
    counts.scope_type,
    counts.scope_id,
    {{ period_columns('counts') }},
    -- Without any answer so far there is no telling how long they take.
    coalesce(
        {{ hours_between(end_of_local_date('counts.period_end'), 'as_of.as_of') }}
        >= company_lags.hours_to_answer_p95,
        false
    ) as is_mature,
    counts.sent,
    counts.bounced,
    counts.invitations,
    counts.delivered,
    counts.opened,
    counts.responded,
    counts.answered,
    counts.opted_out,
    {{ share_pct('counts.bounced', 'counts.sent') }} as bounce_rate,
    {{ share_pct('counts.delivered', 'counts.invitations') }} as delivery_rate,
    {{ share_pct('counts.opened', 'counts.invitations') }} as open_rate,
    {{ share_pct('counts.opted_out', 'counts.invitations') }} as opt_out_rate,
    {{ share_pct('counts.answered', 'counts.invitations') }} as response_rate,
    {{ wilson_limit('counts.answered', 'counts.invitations', 'low') }} as response_rate_ci_low,
    {{ wilson_limit('counts.answered', 'counts.invitations', 'high') }} as response_rate_ci_high,
    {{ share_pct('counts.answered_within_1h', 'counts.timed_answers') }} as within_1h_pct,
    {{ share_pct('counts.answered_within_24h', 'counts.timed_answers') }} as within_24h_pct,
    {{ share_pct('counts.answered_within_72h', 'counts.timed_answers') }} as within_72h_pct,
    lags.hours_to_answer_p50,
    lags.hours_to_answer_p90,
    fatigue.customers,
    fatigue.recent_invitations_mean,
    fatigue.recent_invitations_p90,
    fatigue.fatigued_pct
from counts
cross join as_of
left join company_lags
    on counts.survey_type = company_lags.survey_type
left join lags
    on {% for key in keys %}
        {{ "and " if not loop.first }}counts.{{ key }} = lags.{{ key }}
    {%- endfor %}
left join fatigue
    on {% for key in keys %}
        {{ "and " if not loop.first }}counts.{{ key }} = fatigue.{{ key }}
    {%- endfor %}
