{% set key = ['scope_type', 'scope_id', 'survey_type', 'period_date'] %}
{% set counts = ['responses', 'promoters', 'passives', 'detractors'] %}

with

-- Scopes without an initiative are not counted.
scope_types as (

    select scope_type from {{ ref('initiative_windows') }}
    where window_key is not null
    group by scope_type

),

days as (

    select * from {{ ref('daily_response_counts') }}

),

answers as (

    select
        'team' as scope_type,
        team as scope_id,
        survey_type,
        period_date,
        nps_category
    from {{ ref('fct_survey_responses') }}

),

ancestors as (

    select * from {{ ref('department_ancestors') }}

),

of_members as (

    select
        {{ prefixed(key + counts, 'days') }}
    from days
    inner join scope_types
        on days.scope_type = scope_types.scope_type
    where days.scope_type in ('company', 'channel', 'site', 'product_line', 'agent')

),

-- With all departments below: what is done to a department is done to them.
of_departments as (

    select
        days.scope_type,
        ancestors.ancestor_id as scope_id,
        days.survey_type,
        days.period_date,
        {{ summed_counts('days') }}
    from days
    inner join scope_types
        on days.scope_type = scope_types.scope_type
    inner join ancestors
        on days.scope_id = ancestors.department_id
    where days.scope_type = 'department'
    group by days.scope_type, ancestors.ancestor_id, days.survey_type, days.period_date

),

of_teams as (

    select
        {{ prefixed(key, 'answers') }},
        {{ category_counts() }}
    from answers
    inner join scope_types
        on answers.scope_type = scope_types.scope_type
    group by {{ prefixed(key, 'answers') }}

)

select * from of_members
union all
select * from of_departments
union all
select * from of_teams
