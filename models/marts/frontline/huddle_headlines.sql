{% set earlier = ['week_before', 'four_weeks_before'] %}

with

weeks as (

    select * from {{ ref('team_scores') }}
    where
        period_type = 'week'
        and survey_type = 'all'

),

changes as (

    select * from {{ ref('team_week_changes') }}

),

recent as (

    select * from {{ ref('team_week_windows') }}
    where pooled_weeks = 'last_four_weeks'

),

compared as (

    select
        weeks.*,
        recent.responses as recent_responses,
        recent.nps as recent_nps,
        recent.nps_ci_low as recent_nps_ci_low,
        recent.nps_ci_high as recent_nps_ci_high,
        recent.is_reportable as recent_is_reportable,
        {% for other in earlier -%}
            {{ other }}.earlier_responses as {{ other }}_responses,
            {{ other }}.earlier_nps as {{ other }}_nps,
            {{ other }}.nps_change as {{ other }}_nps_change,
            {{ other }}.nps_change_ci_low as {{ other }}_nps_change_ci_low,
            {{ other }}.nps_change_ci_high as {{ other }}_nps_change_ci_high,
            {{ other }}.adjusted_p_value as {{ other }}_adjusted_p_value,
            {{ other }}.verdict as {{ other }}_verdict,
        {% endfor -%}
        -- What may be said: one comparison only, that with more answers behind it, as every further
        -- one would be another chance of a false alarm.
        case
            when not weeks.is_reportable then 'too few answers'
            when not weeks.is_complete then 'not over'
            when not coalesce(four_weeks_before.is_testable, false) then 'nothing to compare'
            else four_weeks_before.verdict
        end as certainty
    from weeks
    inner join recent
        on {{ same(['team', 'period_start'], 'weeks', 'recent') }}
    {% for other in earlier -%}
        left join changes as {{ other }}
            on
                {{ same(['team', 'period_start'], 'weeks', other) }}
                and {{ other }}.compared_with = '{{ other }}'
    {% endfor %}

)

select
    team,
    period_start,
    period_end,
    is_complete,
    {{ nps_block() }},
    recent_responses,
    recent_nps,
    recent_nps_ci_low,
    recent_nps_ci_high,
    recent_is_reportable,
    {% for other in earlier -%}
        {{ other }}_responses,
        {{ other }}_nps,
        {{ other }}_nps_change,
        {{ other }}_nps_change_ci_low,
        {{ other }}_nps_change_ci_high,
        {{ other }}_adjusted_p_value,
        {{ other }}_verdict,
    {% endfor -%}
    certainty,
    {{ huddle_headline() }} as headline
from compared
