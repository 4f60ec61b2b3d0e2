{% set own = ['detractors', 'passives', 'promoters'] %}

with

counts as (

    select * from {{ ref('period_response_counts') }}
    where
        second_scope_id is null
        and period_type <> 'day'

),

company as (

    select * from counts
    where scope_type = 'company'

),

sides as (

    select
        {{ period_columns('counts') }},
        counts.scope_type,
        counts.scope_id,
        {% for count in own -%}
            counts.{{ count }},
        {% endfor -%}
        {% for count in own -%}
            company.{{ count }} as company_{{ count }},
        {% endfor -%}
        {% for count in own -%}
            company.{{ count }} - counts.{{ count }} as rest_{{ count }},
        {% endfor -%}
        counts.responses,
        company.responses as company_responses,
        company.responses - counts.responses as rest_responses
    from counts
    inner join company
        on
            counts.survey_type = company.survey_type
            and counts.period_type = company.period_type
            and counts.period_start = company.period_start
    where counts.scope_type <> 'company'

),

{{ against_the_rest('sides') }}

select
    {{ period_columns() }},
    scope_type,
    scope_id,
    responses,
    promoters,
    passives,
    detractors,
    nps,
    responses >= {{ var('nps_min_responses') }} as is_reportable,
    company_responses,
    company_detractors,
    {{ nps('company_detractors', 'company_passives', 'company_promoters') }} as company_nps,
    rest_responses,
    rest_nps,
    nps - rest_nps as difference_from_rest,
    middle - half_width as difference_ci_low,
    middle + half_width as difference_ci_high,
    z,
    p_value
from sides_compared
