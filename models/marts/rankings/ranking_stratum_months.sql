with

responses as (

    select
        *,
        {{ period_start('month', 'period_date') }} as response_month
    from {{ ref('fct_survey_responses') }}

)

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
