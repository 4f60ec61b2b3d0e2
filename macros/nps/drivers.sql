{# What a contact's answer may hang on. #}

{# The drivers of an answer, each a number of response_drivers; what is true or false is 1 or 0. The
   seed driver_bands says which bands each has. #}
{% macro drivers() %}
    {% do return([
        'queue_seconds', 'hold_seconds', 'handle_seconds', 'talk_seconds', 'transfers',
        'departments_touched', 'first_contact_resolution', 'repeat_contact', 'channel_switch',
        'hours_to_answer', 'agent_tenure_days',
    ]) %}
{% endmacro %}

{# A criterion of an evaluation is a driver of its own; its bands are those of the seed's driver of
   that name, else of `evaluation:*`. #}
{% macro evaluation_driver(criterion) -%}
    'evaluation:' || {{ criterion }}
{%- endmacro %}

{# Days within which a customer's next contact repeats one. #}
{% macro repeat_days() -%}
    7
{%- endmacro %}

{# The scopes that drivers are told of. #}
{% macro driver_scopes() %}
    {% do return(scopes_named(['company', 'department'])) %}
{% endmacro %}
