-- One kind of group after the other: each needs memory for every customer in every period, and all
-- of them at once would need it sixteen times.
{% set groups = [] %}
{% for keys in [[], ['survey_type'], ['department_id'], ['department_id', 'survey_type']] %}
    {% for period_type in ['month', 'quarter', 'year', 'all'] %}
        {% do groups.append((keys, period_type)) %}
    {% endfor %}
{% endfor %}

with

invitations as (

    select
        asked.customer_id,
        asked.department_id,
        asked.survey_type,
        asked.recent_invitations,
        span.first_date as all_start,
        {{ period_start('month', 'asked.sent_date') }} as month_start,
        {{ period_start('quarter', 'asked.sent_date') }} as quarter_start,
        {{ period_start('year', 'asked.sent_date') }} as year_start
    from {{ ref('invitation_stages') }} as asked
    cross join {{ ref('invitation_span') }} as span
    where asked.recent_invitations is not null

)

{% for keys, period_type in groups -%}
    {% set columns = (keys + [period_type ~ '_start']) | join(', ') -%}
    select
        '{{ "department" if "department_id" in keys else "company" }}' as scope_type,
        {{ "department_id" if "department_id" in keys else "'all'" }} as scope_id,
        {{ "survey_type" if "survey_type" in keys else "'all' as survey_type" }},
        '{{ period_type }}' as period_type,
        {{ period_type }}_start as period_start,
        recent_invitations,
        count(*) as customers
    from (
        select
            {{ columns }},
            max(recent_invitations) as recent_invitations
        from invitations
        group by customer_id, {{ columns }}
    ) as most
    group by {{ columns }}, recent_invitations
    {{ "union all" if not loop.last }}
{% endfor %}
