{% set period_key = ['survey_type', 'period_type', 'period_start'] %}
-- What is measured of contacts has no survey type: each of them shows the same.
{% set metrics = {
    'csat': true, 'effort': true, 'first_contact_resolution': false, 'handle_seconds': false,
} %}

with

scores as (

    select * from {{ ref('nps_trends') }}
    where
        scope_type = 'agent'
        and period_type <> 'day'

),

homes as (

    select * from {{ ref('agent_departments_by_period') }}

),

-- Of fewer than three, the others' score could be worked out by taking one's own away.
teams as (

    select * from {{ ref('team_scores') }}
    where
        team <> 'unknown'
        and agents >= 3

),

measured as (

    select * from {{ ref('metric_values') }}
    where scope_type = 'agent'

)

select
    {{ period_columns('scores') }},
    scores.scope_id as agent_id,
    agents.agent_name,
    coalesce(homes.department_id, 'unknown') as department_id,
    coalesce(homes.team, 'unknown') as team,
    {{ prefixed(nps_block_names(), 'scores') }},
    {{ prefixed(
        ['previous_start', 'previous_responses', 'previous_nps', 'nps_change']
        + ['nps_change_ci_low', 'nps_change_ci_high', 'adjusted_p_value', 'verdict'],
        'scores',
    ) }},
    teams.agents as team_agents,
    teams.responses as team_responses,
    teams.nps as team_nps,
    teams.nps_ci_low as team_nps_ci_low,
    teams.nps_ci_high as team_nps_ci_high,
    teams.is_reportable as team_is_reportable,
    {% for metric in metrics -%}
        coalesce({{ metric }}.observations, 0) as {{ metric }}_observations,
        {{ metric }}.metric_value as {{ metric }}_value,
        {{ metric }}.value_ci_low as {{ metric }}_ci_low,
        {{ metric }}.value_ci_high as {{ metric }}_ci_high,
    {% endfor -%}
    {{ prefixed(
        ['shrunk_nps', 'shrunk_ci_low', 'shrunk_ci_high', 'tie_group', 'tie_size', 'expected_nps']
        + ['nps_vs_expected', 'vs_expected_ci_low', 'vs_expected_ci_high']
        + ['vs_expected_adjusted_p_value', 'vs_expected_verdict'],
        'rankings',
    ) }}
from scores
left join {{ ref('dim_agents') }} as agents
    on scores.scope_id = agents.agent_id
left join homes
    on
        scores.scope_id = homes.agent_id
        and scores.period_end = homes.period_end
left join teams
    on
        {{ same(period_key, 'scores', 'teams') }}
        and homes.team = teams.team
-- Weeks are not ranked: hardly an agent has the answers for it.
left join {{ ref('agent_ranking') }} as rankings
    on
        {{ same(period_key, 'scores', 'rankings') }}
        and scores.scope_id = rankings.agent_id
{% for metric, of_answers in metrics.items() -%}
    left join measured as {{ metric }}
        on
            {{ same(['period_type', 'period_start'], 'scores', metric) }}
            and {{ metric }}.survey_type = {{ 'scores.survey_type' if of_answers else "'all'" }}
            and scores.scope_id = {{ metric }}.scope_id
            and {{ metric }}.metric = '{{ metric }}'
{% endfor %}
