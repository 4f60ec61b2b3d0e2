{# Contacts as they are accepted.

   newest: a query, their newest versions. #}
{% macro accepted_contacts(newest) -%}
with

accepted as (

    {{ newest }}

)

select
    contact_id,
    department_id,
    channel,
    started_at,
    agent_id,
    customer_id,
    reason,
    product_line,
    site,
    ended_at,
    queue_seconds,
    hold_seconds,
    handle_seconds,
    transfers,
    is_resolved,
    updated_at,
    _source_file,
    _source_row
from accepted
{%- endmacro %}
