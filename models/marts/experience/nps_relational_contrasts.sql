{% set counts = ['detractors', 'passives', 'promoters', 'responses'] %}
{% set transactional = [
    'transactional_detractors', 'transactional_passives', 'transactional_promoters',
] %}
{% set relational = ['relational_detractors', 'relational_passives', 'relational_promoters'] %}

with

response_counts as (

    select * from {{ ref('period_response_counts') }}
    where
        second_scope_id is null
        and period_type <> 'day'

),

-- Only where customers were asked both ways.
sides as (

    select
        relational.period_type,
        relational.period_start,
        relational.period_end,
        relational.is_complete,
        {% for count in counts -%}
            transactional.{{ count }} as transactional_{{ count }},
        {% endfor -%}
        {% for count in counts -%}
            relational.{{ count }} as relational_{{ count }},
        {% endfor -%}
        relational.scope_type,
        relational.scope_id
    from response_counts as relational
    inner join response_counts as transactional
        on
            relational.period_type = transactional.period_type
            and relational.period_start = transactional.period_start
            and relational.scope_type = transactional.scope_type
            and relational.scope_id = transactional.scope_id
            and transactional.survey_type = 'transactional'
    where relational.survey_type = 'relational'

),

scored as (

    select
        *,
        {{ nps(*transactional) }} as transactional_nps,
        {{ nps_adjusted(*transactional) }} as transactional_adjusted,
        {{ nps_standard_error(*transactional) }} as transactional_error,
        {{ nps(*relational) }} as relational_nps,
        {{ nps_adjusted(*relational) }} as relational_adjusted,
        {{ nps_standard_error(*relational) }} as relational_error,
        transactional_responses >= {{ var('nps_min_responses') }}
        and relational_responses >= {{ var('nps_min_responses') }} as is_reportable
    from sides

),

compared as (

    select
        *,
        relational_nps - transactional_nps as relational_gap,
        relational_adjusted - transactional_adjusted as adjusted_gap,
        {{ difference_standard_error('transactional_error', 'relational_error') }} as gap_error,
        {{ difference_z(
            'transactional_adjusted', 'transactional_error', 'relational_adjusted',
            'relational_error',
        ) }} as z
    from scored

)

select
    period_type,
    period_start,
    period_end,
    is_complete,
    scope_type,
    scope_id,
    transactional_responses,
    relational_responses,
    transactional_nps,
    relational_nps,
    relational_gap,
    adjusted_gap - {{ normal_quantile_95() }} * gap_error as relational_gap_ci_low,
    adjusted_gap + {{ normal_quantile_95() }} * gap_error as relational_gap_ci_high,
    is_reportable,
    z,
    case when is_reportable then {{ two_sided_p('z') }} end as p_value
from compared
