{% set group_keys = ['scope_type', 'scope_id', 'survey_type'] + stratum_keys() %}
{% set of_months = 'own_months.' ~ (group_keys + ['period_start']) | join(', own_months.') %}
{% set group_keys = group_keys | join(', ') %}
-- Longer periods are added up from shorter ones: each names the one it is made of.
{% set made_of = {'quarter': 'month', 'year': 'quarter'} %}

with

own_months as (

    select * from {{ ref('ranking_stratum_months') }}

),

as_of as (

    select * from {{ ref('as_of') }}

),

survey_types as (

    select
        scope_type,
        count(distinct survey_type) as survey_types
    from own_months
    group by scope_type

),

month_counts as (

    select * from own_months
    union all
    -- Mostly only answers after a contact have a group: then `all` would be the same once more.
    select
        {{ of_months.replace('own_months.survey_type', "'all' as survey_type") }},
        {{ summed_counts('own_months') }}
    from own_months
    inner join survey_types
        on
            own_months.scope_type = survey_types.scope_type
            and survey_types.survey_types > 1
    group by {{ of_months.replace('own_months.survey_type, ', '') }}

),

{% for period_type, shorter in made_of.items() -%}
    {{ period_type }}_counts as (

        select
            {{ group_keys }},
            {{ period_start(period_type, 'period_start') }} as period_start,
            {{ summed_counts() }}
        from {{ shorter }}_counts
        group by {{ group_keys }}, {{ period_start(period_type, 'period_start') }}

    ),

{% endfor -%}
all_counts as (

    select
        {{ group_keys }},
        as_of.first_response_date as period_start,
        {{ summed_counts('year_counts') }}
    from year_counts
    cross join as_of
    group by {{ group_keys }}, as_of.first_response_date

)

{% for period_type in ranked_periods() -%}
    select
        scope_type,
        survey_type,
        '{{ period_type }}' as period_type,
        period_start,
        scope_id,
        {{ stratum_keys() | join(',
        ') }},
        responses,
        promoters,
        passives,
        detractors
    from {{ period_type }}_counts
    {{- "
    union all
    " if not loop.last }}
{% endfor %}
