{# The key under which an agent is shown, as the var agent_identity allows. #}
{% macro shown_agent(agent_id) -%}
    {%- if var('agent_identity') == 'name' -%}
        {{ agent_id }}
    {%- elif var('agent_identity') == 'pseudonym' -%}
        'agent_' || left({{ digest(agent_salt() ~ ' || ' ~ agent_id) }}, 12)
    {%- else -%}
        case when {{ agent_id }} is not null then 'withheld' end
    {%- endif -%}
{%- endmacro %}

{# The name under which an agent is shown. #}
{% macro shown_agent_name(agent_id, agent_name) -%}
    {%- if var('agent_identity') == 'name' -%}
        {{ agent_name }}
    {%- elif var('agent_identity') == 'pseudonym' -%}
        {{ shown_agent(agent_id) }}
    {%- else -%}
        'Withheld'
    {%- endif -%}
{%- endmacro %}
