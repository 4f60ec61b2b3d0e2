{# Columns in which an unreadable value costs the cell, not the row. #}
{% set cells = {
    'survey_responses': ['score', 'survey_channel', 'csat_score', 'effort_score', 'language',
        'updated_at'],
    'contacts': ['ended_at', 'queue_seconds', 'hold_seconds', 'handle_seconds', 'transfers',
        'is_resolved', 'updated_at'],
    'departments': ['updated_at'],
    'agents': ['hired_on', 'left_on', 'updated_at'],
    'agent_assignments': ['valid_to'],
    'contact_legs': ['started_at', 'handle_seconds'],
    'customers': ['customer_since', 'acquired_by', 'churned_on', 'updated_at'],
    'customer_revenue': ['revenue'],
    'survey_invitations': ['survey_channel', 'sent_at', 'delivered_at', 'opened_at',
        'updated_at'],
    'follow_ups': ['opened_at', 'first_contacted_at', 'closed_at', 'outcome', 'updated_at'],
    'initiatives': ['scope_type', 'started_on', 'ended_on'],
    'evaluations': ['score', 'evaluated_at'],
} %}

with

cells as (

    {% for table, columns in cells.items() -%}
        {% set last_table = loop.last -%}
        {% for column in columns -%}
            select
                '{{ table }}' as table_name,
                _source_file,
                _source_row,
                record_key,
                '{{ column }}' as column_name,
                invalid_{{ column }} as invalid_value
            from {{ ref('parsed_' ~ table) }}
            where invalid_{{ column }} is not null
            {{- "
            union all
            " if not (last_table and loop.last) }}
        {% endfor -%}
    {% endfor %}

)

select
    table_name,
    _source_file as source_file,
    _source_row as source_row,
    record_key,
    column_name,
    left({{ masked_cell('invalid_value') }}, 200) as raw_value,
    'not a possible ' || column_name as reason
from cells
