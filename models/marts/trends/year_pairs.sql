{% set compared_years = ['year_before', 'first_year'] %}
{% set key = scope_key() + ['period_start', 'compared_with', 'other_start'] %}

with

years as (

    select * from {{ ref('period_response_counts') }}
    where
        period_type = 'year'
        and scope_type in ({{ trend_scopes() }})

),

breaks as (

    select
        changed_on,
        min(what) as what_changed
    from {{ ref('metric_changes') }}
    where breaks_comparability
    group by changed_on

),

-- Each year beside each earlier one of its member.
pairs as (

    select
        {{ prefixed(scope_period_key(), 'years') }},
        years.period_end,
        earlier.period_start as other_start,
        {{ previous_year_start('years.period_type', 'years.period_start') }} as year_before,
        min(earlier.period_start) over (
            partition by {{ prefixed(scope_key() + ['period_start'], 'years') }}
        ) as first_year
    from years
    inner join years as earlier
        on
            {{ same(scope_key(), 'years', 'earlier') }}
            and years.period_start > earlier.period_start

),

wanted as (

    {% for year in compared_years -%}
        select
            pairs.*,
            '{{ year }}' as compared_with
        from pairs
        where pairs.other_start = pairs.{{ year }}
        {{- "
        union all
        " if not loop.last }}
    {% endfor %}

),

-- A change after the first day of the one year and within the other: then one of them, or a part of
-- it, was counted differently. The first such change is named.
with_change as (

    select
        {{ prefixed(key, 'wanted') }},
        min(breaks.changed_on) as changed_on
    from wanted
    left join breaks
        on
            wanted.other_start < breaks.changed_on
            and wanted.period_end >= breaks.changed_on
    group by {{ prefixed(key, 'wanted') }}

)

select
    {{ prefixed(key, 'with_change') }},
    with_change.changed_on,
    breaks.what_changed
from with_change
left join breaks
    on with_change.changed_on = breaks.changed_on
