{# Overrides dbt's: an incremental model is also built anew when what decides its rows is not what
   it was (other files' folder, project, var or seed), when a model it reads changes of was built
   anew, and where rows come from an adapter, whose changes nothing tells. #}
{% macro should_full_refresh() %}
    {% set asked = config.get('full_refresh') %}
    {% if asked is none %}
        {% set asked = flags.FULL_REFRESH %}
    {% endif %}
    {% if asked or not execute or model.resource_type != 'model'
        or model.config.materialized != 'incremental' %}
        {% do return(asked) %}
    {% endif %}
    {% if not increments_are_offered() or adapters_that_are_on()
        or not knows_what_it_took_in(model.name) %}
        {% do return(true) %}
    {% endif %}
    {% do return(false) %}
{% endmacro %}

{# Whether a model's rows were made by what is in force today, up to changes that are noted. #}
{% macro knows_what_it_took_in(name) %}
    {% if adapter.get_relation(target.database, 'staging', '_applied') is none %}
        {% do return(false) %}
    {% endif %}
    {% set asked %}
        select count(*)
        from {{ state('applied') }} as applied
        where
            applied.model = '{{ name }}'
            and applied.definition = (select definition from {{ state('definition') }})
            and not exists (
                select 1 from {{ state('changes') }} as changes
                where
                    changes.kind = 'everything'
                    and changes.producer in ('{{ producers_read_by(name) | join("', '") }}')
                    and changes.seq > applied.seq
            )
    {% endset %}
    {% do return(run_query(asked).rows[0][0] == 1) %}
{% endmacro %}

{# The incremental models and seeds whose changes a model reads. Of a seed no more is told than that
   it changed. #}
{% macro producers_read_by(name) %}
    {% if name.startswith('superseded_') %}
        {% do return([name | replace('superseded_', 'parsed_', 1)]) %}
    {% endif %}
    {% set responses = 'superseded_survey_responses' %}
    {% do return({
        'parsed_survey_responses': ['languages'],
        'masked_comments': [responses, 'excluded_responses'],
        'fct_contacts': [
            'superseded_contacts', responses, 'superseded_customers', 'stg_departments',
            'stg_agent_assignments', 'channel_aliases', 'nps_categories', 'excluded_responses',
        ],
        'fct_survey_invitations': [
            'superseded_survey_invitations', responses, 'fct_contacts', 'excluded_responses',
        ],
        'fct_survey_responses': [
            'masked_comments', 'fct_survey_invitations', 'superseded_customers', 'fct_contacts',
            'nps_categories', 'excluded_responses',
        ],
        'agent_last_contacts': ['fct_contacts'],
        'daily_contact_counts': ['fct_contacts'],
        'daily_scope_invitation_counts': ['fct_survey_invitations'],
        'daily_response_counts': ['fct_survey_responses'],
        'daily_score_counts': ['fct_survey_responses'],
    }.get(name, [])) %}
{% endmacro %}

{# Whether the engine can take rows out of a table, add others and note it, all in one transaction. #}
{% macro increments_are_offered() %}
    {% do return(adapter.dispatch('increments_are_offered')()) %}
{% endmacro %}

{% macro default__increments_are_offered() %}
    {% do return(true) %}
{% endmacro %}

{# Overrides dbt's, which asks the engine even where the answer is known. #}
{% macro is_incremental() %}
    {% do return(increments_are_offered() and dbt.is_incremental()) %}
{% endmacro %}
