{# What is counted of answers, contacts and invitations besides the categories. #}

{# Ends of the scales that the input contract gives, by the column's short name. #}
{% macro answer_scales() %}
    {% do return({
        'score': {'column': 'score', 'at_least': 0, 'at_most': 10},
        'csat': {'column': 'csat_score', 'at_least': 1, 'at_most': 5},
        'effort': {'column': 'effort_score', 'at_least': 1, 'at_most': 7},
    }) %}
{% endmacro %}

{# Names of the counts of one scale's answers: score_0 … score_10, csat_1 … csat_5, …. #}
{% macro counts_of_scale(name) %}
    {% set scale = answer_scales()[name] %}
    {% set columns = [] %}
    {% for value in range(scale.at_least, scale.at_most + 1) %}
        {% do columns.append(name ~ '_' ~ value) %}
    {% endfor %}
    {% do return(columns) %}
{% endmacro %}

{% macro answer_count_columns() %}
    {% do return(
        counts_of_scale('score') + counts_of_scale('csat') + counts_of_scale('effort')
    ) %}
{% endmacro %}

{# How many answers of a set gave each score, each satisfaction and each effort. #}
{% macro counts_by_answer() -%}
    count(*) as responses,
    {% for name, scale in answer_scales().items() -%}
        {%- set last_scale = loop.last -%}
        {%- for value in range(scale.at_least, scale.at_most + 1) -%}
            cast(sum(case {{ scale.column }} when {{ value }} then 1 else 0 end) as bigint)
                as {{ name }}_{{ value }}{{ "," if not (loop.last and last_scale) }}
        {% endfor -%}
    {%- endfor %}
{%- endmacro %}

{# Resolution and handle time of contacts; those of which neither is known count in neither. #}
{% macro contact_measures() -%}
    count(*) as contacts,
    count(is_resolved) as contacts_of_known_outcome,
    cast(sum(case when is_resolved then 1 else 0 end) as bigint) as resolved,
    count(handle_seconds) as timed_contacts,
    coalesce({{ sum_of_doubles('handle_seconds') }}, {{ double_literal(0) }})
        as handle_seconds_total,
    coalesce({{ sum_of_doubles('handle_seconds * handle_seconds') }}, {{ double_literal(0) }})
        as handle_seconds_squared
{%- endmacro %}

{# Seconds (116 days) past which a handle time is a slip of the source and left out of the averages:
   the contract lets any finite number in, and one of them would be the mean of all the others. #}
{% macro longest_handle_seconds() -%}
    10000000
{%- endmacro %}

{# The scopes a contact, or an invitation, has a key of. #}
{% macro contact_scopes() %}
    {% do return(scopes_named([
        'company', 'department', 'agent', 'channel', 'site', 'product_line', 'segment',
        'contact_reason',
    ])) %}
{% endmacro %}

{% macro invitation_scopes() %}
    {% do return(scopes_named(['company', 'department', 'agent', 'channel', 'survey_channel'])) %}
{% endmacro %}
