{{ config(materialized='ephemeral') }}

-- A view would break in a warehouse file that is opened without the state, a copy would be a second
-- truth.
select
    response_id,
    survey_type,
    period_date,
    department_id,
    score,
    nps_category,
    responses,
    valid_from_publication,
    opened_as,
    valid_to_publication,
    closed_as
from {{ source('state', 'published_answers') }}
