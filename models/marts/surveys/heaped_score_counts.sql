{% set scopes = {
    'company': "'all'",
    'department': 'department_id',
    'agent': 'agent_id',
    'survey_channel': 'survey_channel',
} %}

with

answers as (

    select
        department_id,
        agent_id,
        survey_channel,
        nps_category,
        period_date,
        case when score in ({{ var('nps_heaped_scores') | join(', ') }}) then 1 else 0 end
            as is_heaped
    from {{ ref('fct_survey_responses') }}

),

{{ by_complete_period('answers', 'period_date', ['quarter', 'year']) }}

{% for scope_type, key in scopes.items() -%}
    select
        '{{ scope_type }}' as scope_type,
        {{ key }} as scope_id,
        period_type,
        period_start,
        period_end,
        nps_category,
        count(*) as answers,
        cast(sum(is_heaped) as bigint) as heaped
    from answers_by_period
    group by
        {{ key ~ ', ' if scope_type != 'company' }}period_type, period_start, period_end,
        nps_category
    {{- "
    union all
    " if not loop.last }}
{% endfor %}
