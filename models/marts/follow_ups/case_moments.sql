with

cases as (

    select
        responses.response_id,
        calendars.calendar_id,
        responses.responded_at as opened,
        follow_ups.first_contacted_at as contacted,
        follow_ups.closed_at as closed,
        as_of.as_of as measured
    from {{ ref('fct_survey_responses') }} as responses
    inner join {{ ref('business_calendars') }} as calendars
        on responses.department_id = calendars.department_id
    left join {{ ref('case_follow_ups') }} as follow_ups
        on responses.response_id = follow_ups.response_id
    cross join {{ ref('as_of') }} as as_of
    where responses.nps_category = 'detractor'

)

-- What is said to have happened before the answer happened with it: nobody waited.
{% for moment in ['opened', 'contacted', 'closed', 'measured'] -%}
    select
        response_id,
        '{{ moment }}' as moment,
        calendar_id,
        greatest({{ moment }}, opened) as happened_at
    from cases
    where {{ moment }} is not null
    {{ "union all" if not loop.last }}
{% endfor %}
