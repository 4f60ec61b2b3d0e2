{% set cell = ['survey_type', 'period_date', 'department_id', 'score', 'nps_category'] %}
{% set cell_names = cell | join(',
        ') %}

with

answers as (

    select
        *,
        was_survey_type is not null as was_published,
        survey_type is not null as is_there,
        coalesce(
            was_survey_type <> survey_type
            or was_period_date <> corrected_period_date
            or was_department_id <> department_id
            or was_nps_category <> corrected_nps_category, false
        ) as is_corrected,
        coalesce(
            corrected_period_date <> period_date
            or corrected_nps_category <> nps_category, false
        ) as is_defined_otherwise
    from {{ ref('unpublished_answers') }}

)

select
    'opened' as change_type,
    case
        when is_defined_otherwise or was_listed then 'definition'
        when is_corrected then 'corrected'
        else 'rescored'
    end as reason,
    response_id,
    {{ cell_names }},
    cast(1 as bigint) as responses
from answers
where
    was_published
    and is_there
union all
select
    'closed' as change_type,
    case
        when is_corrected then 'corrected'
        when is_defined_otherwise or is_listed then 'definition'
        when not is_there then 'deleted'
        else 'rescored'
    end as reason,
    response_id,
    was_{{ cell | join(',
    was_') }},
    cast(1 as bigint) as responses
from answers
where was_published
union all
-- Corrected and defined otherwise at once: first the one, then the other.
select
    'passed' as change_type,
    'corrected' as reason,
    response_id,
    survey_type,
    corrected_period_date,
    department_id,
    score,
    corrected_nps_category,
    cast(1 as bigint) as responses
from answers
where
    is_corrected
    and is_defined_otherwise
union all
select
    change_type,
    reason,
    response_id,
    {{ cell_names }},
    responses
from {{ ref('unpublished_arrivals') }}
