{% set of_week = ['team', 'period_start', 'compared_with'] %}
-- A week is held against the one before, and against the four before, whichever of them have answers.
{% set weeks_back = {'week_before': [1], 'four_weeks_before': [1, 2, 3, 4]} %}

with

weeks as (

    select * from {{ ref('team_scores') }}
    where
        period_type = 'week'
        and survey_type = 'all'

),

-- Each week once for every later one that is held against it.
shifted as (

    {% for compared_with, offsets in weeks_back.items() -%}
        {%- set last_comparison = loop.last -%}
        {%- for offset in offsets -%}
            select
                '{{ compared_with }}' as compared_with,
                team,
                cast({{ plus_days('period_start', 7 * offset) }} as date) as period_start,
                is_complete,
                responses,
                promoters,
                passives,
                detractors
            from weeks
            {{- "
        union all
        " if not (loop.last and last_comparison) }}
        {% endfor -%}
    {%- endfor %}

),

earlier_counts as (

    select
        {{ of_week | join(', ') }},
        count(*) as weeks_with_answers,
        min(case when is_complete then 1 else 0 end) = 1 as is_complete,
        {{ summed_counts() }}
    from shifted
    group by {{ of_week | join(', ') }}

),

{{ nps_block_of('earlier_counts') }},

compared as (

    select
        weeks.team,
        weeks.period_start,
        earlier.compared_with,
        earlier.weeks_with_answers,
        earlier.responses as earlier_responses,
        earlier.nps as earlier_nps,
        {{ change_columns('weeks', 'earlier') }},
        {{ is_testable('weeks', 'earlier') }} as is_testable
    from weeks
    inner join with_block as earlier
        on {{ same(['team', 'period_start'], 'weeks', 'earlier') }}

),

tested as (

    select
        {{ of_week | join(', ') }},
        weeks_with_answers,
        earlier_responses,
        earlier_nps,
        {{ tested_change() }},
        is_testable
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
