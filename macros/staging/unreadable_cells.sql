{# Columns in which an unreadable value costs the cell and not the row, by raw table. #}
{% macro unreadable_cells() %}
    {% do return({
        'survey_responses': [
            'score', 'survey_channel', 'csat_score', 'effort_score', 'language', 'updated_at',
        ],
        'contacts': [
            'ended_at', 'queue_seconds', 'hold_seconds', 'handle_seconds', 'transfers',
            'is_resolved', 'updated_at',
        ],
        'departments': ['updated_at'],
        'agents': ['hired_on', 'left_on', 'updated_at'],
        'agent_assignments': ['valid_to'],
        'contact_legs': ['started_at', 'handle_seconds'],
        'customers': ['customer_since', 'acquired_by', 'churned_on', 'updated_at'],
        'customer_revenue': ['revenue'],
        'survey_invitations': [
            'survey_channel', 'sent_at', 'delivered_at', 'opened_at', 'updated_at',
        ],
        'follow_ups': ['opened_at', 'first_contacted_at', 'closed_at', 'outcome', 'updated_at'],
        'initiatives': ['scope_type', 'started_on', 'ended_on'],
        'evaluations': ['score', 'evaluated_at'],
    }) %}
{% endmacro %}
