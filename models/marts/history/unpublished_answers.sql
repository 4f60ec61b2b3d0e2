with

answers as (

    select * from {{ ref('fct_survey_responses') }}

),

published as (

    select * from {{ ref('state_published_answers') }}
    where
        valid_to_publication is null
        and response_id is not null

),

rules as (

    select
        'then' as known,
        rule_name,
        rule_key,
        rule_value
    from {{ ref('published_rules') }}
    union all
    select
        'now' as known,
        rule_name,
        rule_key,
        rule_value
    from {{ ref('metric_rules') }}

),

differing as (

    select
        coalesce(answers.response_id, published.response_id) as response_id,
        published.survey_type as was_survey_type,
        published.period_date as was_period_date,
        published.department_id as was_department_id,
        published.score as was_score,
        published.nps_category as was_nps_category,
        answers.survey_type,
        answers.period_date,
        answers.department_id,
        cast(answers.score as integer) as score,
        answers.nps_category
    from answers
    full outer join published
        on answers.response_id = published.response_id
    where
        answers.response_id is null
        or published.response_id is null
        or answers.survey_type <> published.survey_type
        or answers.period_date <> published.period_date
        or answers.department_id <> published.department_id
        or answers.score <> published.score
        or answers.nps_category <> published.nps_category

)

select
    differing.*,
    -- Where it would be by the rules it was published by: what differs from there is a correction.
    case
        when metric_version.is_dated_otherwise then differing.was_period_date
        else differing.period_date
    end as corrected_period_date,
    coalesce(categories.rule_value, differing.nps_category) as corrected_nps_category,
    listed_then.rule_key is not null as was_listed,
    listed_now.rule_key is not null as is_listed
from differing
cross join {{ ref('metric_version') }} as metric_version
left join rules as categories
    on
        categories.known = 'then'
        and categories.rule_name = 'nps_categories'
        and cast(differing.score as {{ engine_type('varchar') }}) = categories.rule_key
{% for known in ['then', 'now'] -%}
    left join rules as listed_{{ known }}
        on
            listed_{{ known }}.known = '{{ known }}'
            and listed_{{ known }}.rule_name = 'excluded_responses'
            and {{ digest('differing.response_id') }} = listed_{{ known }}.rule_key
{% endfor %}
