with

years as (

    select * from {{ ref('trend_scores') }}
    where period_type = 'year'

),

as_of as (

    select
        {{ period_start('year', 'first_response_date') }} as year_start,
        {{ period_start('month', 'first_response_date') }} as month_start
    from {{ ref('as_of') }}

),

compared as (

    select
        years.scope_type,
        years.scope_id,
        years.survey_type,
        years.period_start,
        pairs.compared_with,
        pairs.other_start,
        earlier.responses as other_responses,
        earlier.nps as other_nps,
        case
            when not years.is_complete then 'the year is not over'
            when as_of.year_start = pairs.other_start and as_of.month_start > pairs.other_start
                then 'the answers begin within the earlier year'
            when pairs.what_changed is not null
                then 'the definition changed: ' || pairs.what_changed
        end as not_comparable_because,
        {{ is_testable('years', 'earlier') }} as has_samples,
        {{ change_columns('years', 'earlier') }}
    from {{ ref('year_pairs') }} as pairs
    inner join years
        on {{ same(scope_key() + ['period_start'], 'pairs', 'years') }}
    inner join years as earlier
        on
            {{ same(scope_key(), 'pairs', 'earlier') }}
            and pairs.other_start = earlier.period_start
    cross join as_of

),

published as (

    select
        scope_type,
        scope_id,
        survey_type,
        period_start,
        compared_with,
        other_start,
        other_responses,
        other_nps,
        not_comparable_because,
        {{ tested_change() }},
        has_samples and not_comparable_because is null as is_testable
    from compared

),

tested as (

    select
        *,
        case when is_testable then p_value end as tested_p_value
    from published

),

{{ benjamini_hochberg(
    'tested',
    within=['scope_type', 'survey_type', 'period_start', 'compared_with'],
    key=['scope_id'],
    p='tested_p_value',
) }}

select
    scope_type,
    scope_id,
    survey_type,
    period_start,
    compared_with,
    other_start,
    other_responses,
    other_nps,
    {{ change_names() | join(',
    ') }},
    adjusted_p_value,
    {{ verdict('nps_change', 'z_value', 'adjusted_p_value', 'is_testable') }} as verdict,
    not_comparable_because
from tested_adjusted
