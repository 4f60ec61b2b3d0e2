{# The key of a raw row as it may be shown: keys that name an agent only where agents are named. #}
{% macro shown_record_key(table) -%}
    {%- if var('agent_identity') != 'name' and table in ['agents', 'agent_assignments'] -%}
        case when record_key is not null then 'withheld' end
    {%- else -%}
        record_key
    {%- endif -%}
{%- endmacro %}
