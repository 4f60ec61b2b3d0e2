{% set of_week = ['team', 'period_start', 'compared_with'] %}

with

weeks as (

    select * from {{ ref('team_scores') }}
    where
        period_type = 'week'
        and survey_type = 'all'

),

earlier as (

    select * from {{ ref('team_week_windows') }}
    where pooled_weeks in ('week_before', 'four_weeks_before')

),

compared as (

    select
        weeks.team,
        weeks.period_start,
        earlier.pooled_weeks as compared_with,
        earlier.weeks_with_answers,
        earlier.responses as earlier_responses,
        earlier.nps as earlier_nps,
        {{ change_columns('weeks', 'earlier') }},
        {{ is_testable('weeks', 'earlier') }} as is_testable
    from weeks
    inner join earlier
        on {{ same(['team', 'period_start'], 'weeks', 'earlier') }}

),

tested as (

    select
        {{ of_week | join(', ') }},
        weeks_with_answers,
        earlier_responses,
        earlier_nps,
        is_testable,
        {{ tested_change() }}
    from compared

),

-- Only what may get a verdict counts among the comparisons of a week's teams.
testable as (

    select
        *,
        case when is_testable then p_value end as tested_p_value
    from tested

),

{{ benjamini_hochberg(
    'testable', within=['period_start', 'compared_with'], key=['team'], p='tested_p_value'
) }}

select
    {{ of_week | join(', ') }},
    weeks_with_answers,
    earlier_responses,
    earlier_nps,
    {{ change_names() | join(', ') }},
    adjusted_p_value,
    is_testable,
    {{ verdict('nps_change', 'z_value', 'adjusted_p_value', 'is_testable') }} as verdict
from testable_adjusted
