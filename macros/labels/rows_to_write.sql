{# What a fact is made of in this run, to select from: all accepted rows with their labels, or those
   that its pre-hook took out, labelled by the same macros. #}

{% macro contacts_to_write() -%}
    {%- if is_incremental() -%}
        {{ labelled_contacts(
            '(' ~ accepted_contacts(changed_newest_versions('contacts', 'contact_id'))
                ~ ') as accepted',
            relation_named
        ) }}
    {%- else -%}
        select * from {{ ref('categorized_contacts') }}
    {%- endif -%}
{%- endmacro %}

{# key: the column of the answers that says whether one is written. #}
{% macro responses_to_write(key) -%}
    {%- if is_incremental() -%}
        (
            {{ labelled_survey_responses(
                changed_rows(relation_named('stg_survey_responses'), key), relation_named
            ) }}
        ) as written_responses
    {%- else -%}
        {{ ref('categorized_survey_responses') }}
    {%- endif -%}
{%- endmacro %}

{% macro invitations_to_write() -%}
    {%- if is_incremental() -%}
        (
            {{ labelled_survey_invitations(
                '(' ~ accepted_survey_invitations(
                    changed_newest_versions('survey_invitations', 'invitation_id')
                ) ~ ') as accepted',
                changed_rows(relation_named('stg_survey_responses'), 'invitation_id')
            ) }}
        ) as written_invitations
    {%- else -%}
        {{ ref('categorized_survey_invitations') }}
    {%- endif -%}
{%- endmacro %}
