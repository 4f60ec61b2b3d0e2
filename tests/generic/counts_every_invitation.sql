{# Conservation against the input: whatever the scope and the period type, the invitations counted
   are the accepted ones that have a date of sending, each once. #}
{% test counts_every_invitation(model) %}
with

delivered as (

    select count(*) as invitations
    from {{ ref('categorized_survey_invitations') }}
    where sent_date is not null

),

counted as (

    select
        scope_type,
        period_type,
        sum(sent) as invitations
    from {{ model }}
    where survey_type = 'all'
    group by scope_type, period_type

),

expected as (

    {% for scope in survey_scopes() -%}
        {% set last_scope = loop.last -%}
        {% for period_type in ['day', 'week', 'month', 'quarter', 'year', 'all'] -%}
            select '{{ scope }}' as scope_type, '{{ period_type }}' as period_type
            {{- " union all" if not (last_scope and loop.last) }}
        {% endfor -%}
    {% endfor %}

)

select
    expected.scope_type,
    expected.period_type,
    delivered.invitations as invitations_delivered,
    coalesce(counted.invitations, 0) as invitations_counted
from expected
cross join delivered
left join counted
    on
        expected.scope_type = counted.scope_type
        and expected.period_type = counted.period_type
where delivered.invitations <> coalesce(counted.invitations, 0)
{% endtest %}
