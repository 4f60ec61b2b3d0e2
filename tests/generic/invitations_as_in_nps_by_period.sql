{# The company's invitations and response rate are those that nps_by_period shows. #}
{% test invitations_as_in_nps_by_period(model) %}
select
    scores.survey_type,
    scores.period_type,
    scores.period_start,
    scores.invitations,
    funnel.invitations as invitations_in_funnel,
    scores.response_rate,
    funnel.response_rate as response_rate_in_funnel
from {{ ref('nps_by_period') }} as scores
left join {{ model }} as funnel
    on
        scores.survey_type = funnel.survey_type
        and scores.period_type = funnel.period_type
        and scores.period_start = funnel.period_start
        and funnel.scope_type = 'company'
where
    scores.invitations <> coalesce(funnel.invitations, 0)
    or scores.response_rate is distinct from funnel.response_rate
{% endtest %}
