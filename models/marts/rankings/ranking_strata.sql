{% set group_keys = ['scope_type', 'scope_id', 'survey_type'] + stratum_keys() %}
{% set group_keys = group_keys | join(', ') %}
-- Longer periods are added up from shorter ones: each names the one it is made of.
{% set made_of = {'quarter': 'month', 'year': 'quarter'} %}

with

responses as (

    select
        *,
        {{ period_start('month', 'period_date') }} as response_month
    from {{ ref('fct_survey_responses') }}

),

as_of as (

    select * from {{ ref('as_of') }}

),

own_months as (

    -- Only agents are compared within departments: a department has no others in it, and a site
    -- seldom shares one.
    {% for scope in ranked_scopes() -%}
        select
            '{{ scope }}' as scope_type,
            {{ score_scopes()[scope][0] }} as scope_id,
            survey_type,
            {{ 'department_id' if scope == 'agent' else "'all'" }} as department_id,
            contact_reason,
            channel,
            response_month as period_start,
            {{ category_counts() }}
        from responses
        where {{ score_scopes()[scope][0] }} <> 'unknown'
        group by
            {{ score_scopes()[scope][0] }},
            survey_type,
            {{ 'department_id,' if scope == 'agent' }}
            contact_reason,
            channel,
            response_month
        {{- "
        union all
        " if not loop.last }}
    {% endfor %}

),

month_counts as (

    select * from own_months
    union all
    select
        {{ group_keys.replace('survey_type', "'all' as survey_type") }},
        period_start,
        {{ summed_counts() }}
    from own_months
    group by {{ group_keys.replace('survey_type, ', '') }}, period_start

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
