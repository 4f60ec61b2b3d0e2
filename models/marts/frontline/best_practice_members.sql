{% set names = {
    'agent': 'agent_name', 'department': 'department_name', 'site': 'site',
} %}
{% set figures = ['responses', 'nps', 'expected_nps', 'nps_vs_expected', 'vs_expected_ci_low',
    'vs_expected_ci_high'] %}

-- Every survey type together, as a team works.
{% for scope, name in names.items() -%}
    select
        '{{ scope }}' as scope_type,
        {{ score_scopes()[scope][0] }} as scope_id,
        {{ name }} as scope_name,
        period_type,
        period_start,
        period_end,
        {{ figures | join(',
        ') }}
    from {{ ref(scope ~ '_ranking') }}
    where
        survey_type = 'all'
        and vs_expected_verdict = 'better'
    {{- "
    union all
    " if not loop.last }}
{% endfor %}
