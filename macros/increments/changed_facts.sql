{# Queries: the facts that may differ since the model at hand ran last. Every label of a fact is looked
   up in something that is named here. #}

{# By their own rows, their answers, their customer, their department or their agent's team. #}
{% macro changed_contacts() -%}
    {%- set looked_up = {
        'customer_id': 'superseded_customers',
        'department_id': 'stg_departments',
        'agent_id': 'stg_agent_assignments',
    } -%}
    {{ changes_of('superseded_contacts') }}
    union all
    {{ changes_of('superseded_survey_responses', 'contact_id') }}
    {% for column, producer in looked_up.items() -%}
        union all
        select contact_id as value from {{ relation_named('parsed_contacts') }}
        where {{ column }} in ({{ changes_of(producer) }})
    {% endfor %}
{%- endmacro %}

{# By their own rows and comments, their contact, their invitation or their customer. #}
{% macro changed_responses() -%}
    {%- set looked_up = {
        'source_contact_id': 'fct_contacts',
        'source_invitation_id': 'fct_survey_invitations',
        'source_customer_id': 'superseded_customers',
    } -%}
    {{ changes_of('masked_comments') }}
    {% for column, producer in looked_up.items() -%}
        union all
        select response_id as value from {{ this }}
        where {{ column }} in ({{ changes_of(producer) }})
    {% endfor %}
{%- endmacro %}

{# By their own rows, their answers or their contact. #}
{% macro changed_invitations() -%}
    {{ changes_of('superseded_survey_invitations') }}
    union all
    {{ changes_of('superseded_survey_responses', 'invitation_id') }}
    union all
    select invitation_id as value from {{ this }}
    where source_contact_id in ({{ changes_of('fct_contacts') }})
{%- endmacro %}
