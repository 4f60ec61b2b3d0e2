with

responses as (

    select * from {{ ref('fct_survey_responses') }}

),

seconds as (

    {% for scope_type, key in {'agent': 'agent_id', 'survey_channel': 'survey_channel'}.items() -%}
        select
            '{{ scope_type }}' as scope_type,
            {{ key }} as scope_id,
            response_date,
            {{ second_of('responded_at') }} as answered_at,
            count(*) as answers
        from responses
        where {{ can_be_asked(key) }}
        group by {{ key }}, response_date, {{ second_of('responded_at') }}
        having count(*) >= {{ var('nps_burst_answers') }}
        {{- "
        union all
        " if not loop.last }}
    {% endfor %}

),

days as (

    select
        scope_type,
        scope_id,
        'day' as period_type,
        response_date as period_start,
        response_date as period_end,
        count(*) as bursts,
        cast(sum(answers) as bigint) as cases,
        cast(max(answers) as {{ double_type() }}) as observed
    from seconds
    group by scope_type, scope_id, response_date

)

select
    'bursts' as kind,
    scope_type,
    scope_id,
    'all' as survey_type,
    period_type,
    period_start,
    period_end,
    cases,
    observed,
    -- Nothing is tested here, the number speaks for itself.
    cast(null as {{ double_type() }}) as expected,
    cast(null as {{ double_type() }}) as p_value,
    cast(null as {{ double_type() }}) as adjusted_p_value,
    'Was it an import or a script, or have they no time of day: ' || {{ in_words('cases') }}
    || ' answers to ' || {{ whom_and_when() }} || ' came in ' || {{ in_words('bursts') }}
    || ' second(s), up to ' || {{ in_words('observed') }} || ' in one?' as question
from days
