{% set cohort = ['survey_type', 'period_type', 'period_start', 'period_end', 'is_complete'] %}

with

sums as (

    select
        {{ cohort | join(', ') }},
        cast(sum(pairs) as bigint) as pairs,
        {% for column in ['previous_nps_category', 'nps_category'] -%}
            {% for category in ['detractor', 'passive', 'promoter'] -%}
                cast(sum(case when {{ column }} = '{{ category }}' then pairs else 0 end) as bigint)
                    as {{ column | replace('nps_category', category ~ 's') }},
            {% endfor -%}
        {% endfor -%}
        {% for sign, name in {'>': 'improved', '=': 'unchanged', '<': 'worsened'}.items() -%}
            cast(sum(case when paired_change {{ sign }} 0 then pairs else 0 end) as bigint)
                as {{ name }},
        {% endfor -%}
        cast(sum(pairs * paired_change) as bigint) as change_total,
        cast(sum(pairs * paired_change * paired_change) as bigint) as change_squares
    from {{ ref('nps_migration') }}
    group by {{ cohort | join(', ') }}

),

-- The same customers twice: the pairs differ, not the two groups of answers.
measured as (

    select
        *,
        {{ nps('previous_detractors', 'previous_passives', 'previous_promoters') }}
            as previous_nps,
        {{ nps('detractors', 'passives', 'promoters') }} as nps,
        {{ mean_of('change_total', 'pairs') }} as paired_nps_change,
        {{ mean_standard_error('change_squares', 'change_total', 'pairs') }}
            as paired_change_standard_error,
        pairs >= {{ var('nps_min_responses') }} as is_reportable
    from sums

),

tested as (

    -- Pairs that all changed alike don't prove that the next will.
    select
        *,
        paired_nps_change / nullif(paired_change_standard_error, 0) as z_value
    from measured

)

select
    {{ cohort | join(',
    ') }},
    pairs,
    improved,
    unchanged,
    worsened,
    previous_nps,
    nps,
    paired_nps_change,
    paired_change_standard_error,
    {% for limit, side in {'low': -1, 'high': 1}.items() -%}
        {{ mean_limit(
            'paired_nps_change', 'nullif(paired_change_standard_error, 0)', side, 200 * side
        ) }} as paired_change_ci_{{ limit }},
    {% endfor -%}
    z_value,
    {{ two_sided_p('z_value') }} as p_value,
    is_reportable,
    {{ verdict(
        'paired_nps_change', 'z_value', two_sided_p('z_value'), 'is_reportable and is_complete',
    ) }} as verdict
from tested
