{# The local date that decides the periods of an answer, by the var nps_period_basis: the answer's,
   its contact's or its invitation's, falling back to the answer's where there is none. #}
{% macro period_date(responses, contacts, invitations) -%}
    {%- if var('nps_period_basis') == 'contact' -%}
        coalesce({{ contacts }}.contact_date, {{ responses }}.response_date)
    {%- elif var('nps_period_basis') == 'invitation' -%}
        coalesce({{ invitations }}.sent_date, {{ responses }}.response_date)
    {%- else -%}
        {{ responses }}.response_date
    {%- endif -%}
{%- endmacro %}
