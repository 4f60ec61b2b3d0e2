{# The raw tables of the input contract, in its order. #}
{% macro raw_tables() %}
    {% do return([
        'survey_responses',
        'contacts',
        'departments',
        'agents',
        'agent_assignments',
        'contact_legs',
        'customers',
        'customer_revenue',
        'survey_invitations',
        'follow_ups',
        'initiatives',
        'evaluations',
    ]) %}
{% endmacro %}
