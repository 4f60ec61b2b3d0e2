{# Adapters: models that present what a loader landed in the warehouse as a raw table. Each is on
   where its var names the loader's schema. #}
{% macro adapters() %}
    {% do return({
        'qualtrics_schema': ['survey_responses', 'survey_invitations'],
        'zendesk_schema': ['contacts', 'survey_responses'],
    }) %}
{% endmacro %}

{# The raw tables that adapters which are on bring, with the names of the models that do. #}
{% macro adapters_that_are_on() %}
    {% set models = {} %}
    {% for name, tables in adapters().items() if var(name) is not none %}
        {% for table in tables %}
            {% do models.setdefault(table, []).append(name.replace('_schema', '_') ~ table) %}
        {% endfor %}
    {% endfor %}
    {% do return(models) %}
{% endmacro %}

{# What was delivered for a raw table, to select from: its files, and the rows of its adapters.

   columns: what is selected, where it is more than the number of rows.
#}
{% macro delivered_rows(table, columns=[]) -%}
    {%- set models = adapters_that_are_on().get(table, []) -%}
    {%- if not models -%}
        {{ source('raw', table) }}
    {%- else -%}
        {%- set names = columns + ['_line_error', '_source_file', '_source_row'] -%}
        (
            select {{ names | join(', ') }} from {{ source('raw', table) }}
            {% for model in models -%}
                union all
                select {{ names | join(', ') }} from {{ ref(model) }}
            {% endfor %}
        ) as every_delivery
    {%- endif -%}
{%- endmacro %}
