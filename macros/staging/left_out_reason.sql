{# Why a delivered row is left out whatever it says, else null: its customer was forgotten (the
   landing emptied it), or it is older than its table is kept. #}
{% macro left_out_reason(table) -%}
    {%- set months = var('nps_retention_months').get(table) -%}
    case
        when _line_error in ('forgotten', 'retention') then _line_error
        {% if months is not none -%}
            when {{ retention_columns()[table] }} < {{ oldest_kept(months) }} then 'retention'
        {% endif -%}
    end
{%- endmacro %}

{# What a row's age is counted from, by raw table. #}
{% macro retention_columns() %}
    {% do return({
        'survey_responses': 'responded_at',
        'contacts': 'started_at',
        'contact_legs': 'started_at',
        'customer_revenue': 'month',
        'survey_invitations': 'sent_at',
        'follow_ups': 'opened_at',
        'evaluations': 'evaluated_at',
    }) %}
{% endmacro %}

{# The oldest instant that is kept: so many months before the var as_of. #}
{% macro oldest_kept(months) -%}
    {{ plus_months(instant_of_var('as_of'), -months) }}
{%- endmacro %}
