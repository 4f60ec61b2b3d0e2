{% set others = {'previous': '', 'previous_year': 'year_'} %}

with

changes as (

    select * from {{ ref('trend_changes') }}

),

-- Only what may get a verdict is tested, and counts among the comparisons made at once.
tested as (

    {% for other, prefix in others.items() -%}
        select
            scope_type,
            scope_id,
            survey_type,
            period_type,
            period_start,
            '{{ other }}' as compared_with,
            {{ prefix }}p_value as change_p_value
        from changes
        where is_{{ prefix }}testable
        {{- "
        union all
        " if not loop.last }}
    {% endfor %}

),

{{ benjamini_hochberg(
    'tested',
    within=['scope_type', 'survey_type', 'period_type', 'period_start', 'compared_with'],
    key=['scope_id'],
    p='change_p_value',
) }}

select
    scope_type,
    scope_id,
    survey_type,
    period_type,
    period_start,
    compared_with,
    change_p_value as p_value,
    p_count as comparisons,
    adjusted_p_value
from tested_adjusted
