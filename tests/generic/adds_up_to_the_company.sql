{# Conservation: per survey type and period the groups of a score mart add up to the company, as
   counted for the company. `only` says which rows of the mart count, `periods` which periods it has. #}
{% test adds_up_to_the_company(model, only='true', periods='true') %}
{% set counts = ['responses', 'promoters', 'passives', 'detractors'] %}
with

groups as (

    select
        survey_type,
        period_type,
        period_start,
        {% for count in counts -%}
            sum({{ count }}) as {{ count }}{{ "," if not loop.last }}
        {% endfor %}
    from {{ model }}
    where {{ only }}
    group by survey_type, period_type, period_start

),

company as (

    select * from {{ ref('nps_by_period') }}
    where {{ periods }}

)

select
    coalesce(groups.survey_type, company.survey_type) as survey_type,
    coalesce(groups.period_type, company.period_type) as period_type,
    coalesce(groups.period_start, company.period_start) as period_start,
    groups.responses as responses_in_groups,
    company.responses as responses_of_company
from groups
full outer join company
    on
        groups.survey_type = company.survey_type
        and groups.period_type = company.period_type
        and groups.period_start = company.period_start
where
    groups.survey_type is null
    or company.survey_type is null
    {% for count in counts -%}
        or groups.{{ count }} is null
        or company.{{ count }} is null
        or groups.{{ count }} <> company.{{ count }}
    {% endfor %}
{% endtest %}
