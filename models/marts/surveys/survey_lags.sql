-- One kind of group after the other: a percentile is of values that are all in memory, and all
-- kinds at once would need them forty times.
{% set groups = [] %}
{% for scope, key in survey_scopes().items() %}
    {% for survey_type in ['survey_type', none] %}
        {% for period_type in ['month', 'quarter', 'year', 'all'] %}
            {% do groups.append((scope, key, survey_type, period_type)) %}
        {% endfor %}
    {% endfor %}
{% endfor %}

with

answered as (

    select
        timed.department_id,
        timed.channel,
        timed.survey_channel,
        timed.agent_id,
        timed.survey_type,
        timed.hours_to_answer,
        span.first_date as all_start,
        {{ period_start('month', 'timed.sent_date') }} as month_start,
        {{ period_start('quarter', 'timed.sent_date') }} as quarter_start,
        {{ period_start('year', 'timed.sent_date') }} as year_start
    from {{ ref('invitation_stages') }} as timed
    cross join {{ ref('invitation_span') }} as span
    where
        not timed.is_bounced
        and timed.hours_to_answer is not null

)

{% for scope, key, survey_type, period_type in groups -%}
    select
        '{{ scope }}' as scope_type,
        {{ key or "'all'" }} as scope_id,
        {{ survey_type or "'all' as survey_type" }},
        '{{ period_type }}' as period_type,
        {{ period_type }}_start as period_start,
        count(*) as timed_answers,
        {{ percentile('hours_to_answer', 50) }} as hours_to_answer_p50,
        {{ percentile('hours_to_answer', 90) }} as hours_to_answer_p90,
        {{ percentile('hours_to_answer', 95) }} as hours_to_answer_p95
    from answered
    group by {{ [key, survey_type, period_type ~ '_start'] | select | join(', ') }}
    {{ "union all" if not loop.last }}
{% endfor %}
