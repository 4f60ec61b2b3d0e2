{% set comparisons = ['previous_period', 'previous_year'] %}

with

company as (

    select
        {{ period_columns() }},
        responses,
        {{ nps('detractors', 'passives', 'promoters') }} as nps
    from {{ ref('period_response_counts') }}
    where
        scope_type = 'company'
        and period_type in ('week', 'month', 'quarter', 'year')

),

compared as (

    {% for comparison in comparisons -%}
        select
            '{{ comparison }}' as comparison,
            {{ compared_start(comparison, 'period_type', 'period_start') }}
                as previous_period_start,
            company.*
        from company
        {{- "
        union all
        " if not loop.last }}
    {% endfor %}

)

select
    {{ period_columns('compared') }},
    compared.comparison,
    compared.previous_period_start,
    previous.period_end as previous_period_end,
    previous.responses as previous_company_responses,
    compared.responses as company_responses,
    previous.nps as previous_company_nps,
    compared.nps as company_nps,
    compared.nps - previous.nps as company_nps_change
from compared
-- A period whose predecessor has no answers is compared with nothing.
inner join company as previous
    on
        compared.survey_type = previous.survey_type
        and compared.period_type = previous.period_type
        and compared.previous_period_start = previous.period_start
