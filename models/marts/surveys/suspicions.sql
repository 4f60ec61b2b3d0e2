{% set kinds = [
    'fewer_answers_higher_score', 'heaped_scores', 'bursts', 'never_invited', 'selective_inviting',
] %}

with

suspicions as (

    {% for kind in kinds -%}
        select * from {{ ref('suspicion_' ~ kind) }}
        {{- "
        union all
        " if not loop.last }}
    {% endfor %}

)

select
    kind,
    scope_type,
    scope_id,
    survey_type,
    period_type,
    period_start,
    period_end,
    cases,
    observed,
    expected,
    p_value,
    adjusted_p_value,
    question
from suspicions
