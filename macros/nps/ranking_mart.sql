{# What the rankings share: which scopes and periods, what a set of groups is, and the mart itself. #}

{# Scopes whose members are ranked: each has the mart <scope>_ranking. #}
{% macro ranked_scopes() %}
    {% do return(['agent', 'department', 'site']) %}
{% endmacro %}

{# Days and weeks are not ranked: hardly a group has the answers a rank needs. #}
{% macro ranked_periods() %}
    {% do return(['month', 'quarter', 'year', 'all']) %}
{% endmacro %}

{# The columns that make a set of groups that are ranked among each other. #}
{% macro ranking_set() %}
    {% do return(['scope_type', 'survey_type', 'period_type', 'period_start']) %}
{% endmacro %}

{# A ranking of one scope: block, shrunk score, rank, and comparison with what the group's contacts
   let expect. Adds CTEs of which the last, `ranking`, has the unknown group as well, unranked, so
   that counts add up to the company.

   scope: one of ranked_scopes.
   key:   what the mart calls the scope's member. #}
{% macro ranking_of(scope, key) -%}
    {%- set period = ['survey_type', 'period_type', 'period_start'] -%}
counts as (

    select
        {{ period_columns() }},
        scope_id as {{ key }},
        responses,
        promoters,
        passives,
        detractors
    from {{ ref('period_response_counts') }}
    where
        scope_type = '{{ scope }}'
        and period_type in ('{{ ranked_periods() | join("', '") }}')

),

{{ nps_block_of('counts') }},

{% for part in ['shrunk', 'ranks', 'expected'] -%}
{{ part }} as (

    select * from {{ ref('ranking_' ~ part) }}
    where scope_type = '{{ scope }}'

),

{% endfor -%}
joined as (

    select
        with_block.*,
        {{ ranking_columns_of('shrunk') }},
        {{ ranking_columns_of('ranks') }},
        expected.expected_nps,
        expected.expected_standard_error,
        expected.expected_adjusted,
        expected.unmatched_responses,
        with_block.nps - expected.expected_nps as nps_vs_expected,
        with_block.nps_adjusted - expected.expected_adjusted as adjusted_vs_expected,
        {{ difference_standard_error(
            'expected.expected_standard_error', 'with_block.nps_standard_error'
        ) }} as vs_expected_standard_error,
        {{ difference_z(
            'expected.expected_adjusted', 'expected.expected_standard_error',
            'with_block.nps_adjusted', 'with_block.nps_standard_error',
        ) }} as vs_expected_z
    from with_block
    {% for part in ['shrunk', 'ranks', 'expected'] -%}
        left join {{ part }}
            on
                {{ same_set('with_block', part, period) }}
                and with_block.{{ key }} = {{ part }}.scope_id
    {% endfor %}
),

tested as (

    -- Groups under the minimum are no comparisons, and do not make the others' harder.
    select
        *,
        {{ difference_bound('adjusted_vs_expected', 'vs_expected_standard_error', -1) }}
            as vs_expected_ci_low,
        {{ difference_bound('adjusted_vs_expected', 'vs_expected_standard_error', 1) }}
            as vs_expected_ci_high,
        case when is_reportable then {{ two_sided_p('vs_expected_z') }} end
            as vs_expected_p_value
    from joined

),

{{ benjamini_hochberg('tested', within=period, key=[key], p='vs_expected_p_value') }},

judged as (

    select
        *,
        adjusted_p_value as vs_expected_adjusted_p_value,
        {{ verdict(
            'nps_vs_expected', 'vs_expected_z', 'adjusted_p_value', '(is_reportable and is_complete)'
        ) }} as direction
    from tested_adjusted

),

ranking as (

    -- Pay may hang on a row only where the group is told apart from what its contacts let expect,
    -- and that was learnt from the same reasons for most of its answers.
    select
        *,
        case direction
            when 'up' then 'better' when 'down' then 'worse' else 'no evidence'
        end as vs_expected_verdict,
        direction <> 'no evidence' and 2 * unmatched_responses < responses as incentive_eligible
    from judged

)
{%- endmacro %}

{# One end of the 95 % interval of a difference between scores, which cannot leave -200 to 200. #}
{% macro difference_bound(difference, standard_error, side) -%}
    case
        when {{ standard_error }} is not null
            then greatest(-200.0, least(
                200.0,
                {{ difference }} + ({{ side }}) * {{ normal_quantile_95() }} * {{ standard_error }}
            ))
    end
{%- endmacro %}

{# Columns of an intermediate table that a ranking shows as they are. #}
{% macro ranking_columns_of(part) -%}
    {%- set columns = {
        'shrunk': [
            'shrunk_nps', 'shrunk_ci_low', 'shrunk_ci_high', 'shrinkage_weight', 'mean_of_groups',
            'between_groups_sd', 'compared_groups',
        ],
        'ranks': [
            'ranked_groups', 'shrunk_rank', 'rank_low', 'rank_high', 'tie_group', 'tie_rank',
            'tie_size',
        ],
    } -%}
    {{ part }}.{{ columns[part] | join(',
        ' ~ part ~ '.') }}
{%- endmacro %}

{# What a ranking shows behind the block, in its order. #}
{% macro ranking_columns() -%}
    shrunk_nps,
    shrunk_ci_low,
    shrunk_ci_high,
    shrinkage_weight,
    mean_of_groups,
    between_groups_sd,
    compared_groups,
    ranked_groups,
    shrunk_rank,
    rank_low,
    rank_high,
    tie_group,
    tie_rank,
    tie_size,
    expected_nps,
    expected_standard_error,
    unmatched_responses,
    nps_vs_expected,
    vs_expected_ci_low,
    vs_expected_ci_high,
    vs_expected_p_value,
    vs_expected_adjusted_p_value,
    vs_expected_verdict,
    incentive_eligible
{%- endmacro %}
