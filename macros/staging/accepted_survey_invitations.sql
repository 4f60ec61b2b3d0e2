{# Invitations as they are accepted.

   newest: a query, their newest versions. #}
{% macro accepted_survey_invitations(newest) -%}
with

accepted as (

    {{ newest }}

)

select
    invitation_id,
    survey_id,
    coalesce(
        survey_type, case when contact_id is null then 'relational' else 'transactional' end
    ) as survey_type,
    contact_id,
    customer_id,
    survey_channel,
    sent_at,
    delivered_at,
    opened_at,
    status,
    updated_at,
    _source_file,
    _source_row
from accepted
{%- endmacro %}
