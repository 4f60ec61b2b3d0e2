{# Conservation against the input: whatever the period type, the company's answers are the accepted
   rows of the staged table, no more and no fewer. #}
{% test counts_every_accepted_response(model) %}
with

staged as (

    select count(*) as responses
    from {{ ref('stg_survey_responses') }}

),

published as (

    select
        period_type,
        sum(responses) as responses
    from {{ model }}
    where survey_type = 'all'
    group by period_type

),

expected as (

    {% for period_type in ['day', 'week', 'month', 'quarter', 'year', 'all'] -%}
        select '{{ period_type }}' as period_type{{ " union all" if not loop.last }}
    {% endfor %}

)

select
    expected.period_type,
    staged.responses as responses_staged,
    coalesce(published.responses, 0) as responses_published
from expected
cross join staged
left join published
    on expected.period_type = published.period_type
where staged.responses <> coalesce(published.responses, 0)
{% endtest %}
