{# Every way in which answers are grouped: the scope's name and the one or two keys of
   fct_survey_responses that make it. A new by-… mart begins with a line here. #}
{% macro score_scopes() %}
    {% do return({
        'company': [],
        'department': ['department_id'],
        'agent': ['agent_id'],
        'channel': ['channel'],
        'site': ['site'],
        'product_line': ['product_line'],
        'segment': ['segment'],
        'contact_reason': ['contact_reason'],
        'survey_channel': ['survey_channel'],
        'language': ['language'],
        'department_channel': ['department_id', 'channel'],
        'weekday_hour': ['weekday', 'hour'],
    }) %}
{% endmacro %}

{# Some of them, in the order given. #}
{% macro scopes_named(names) %}
    {% set found = {} %}
    {% for name in names %}
        {% do found.update({name: score_scopes()[name]}) %}
    {% endfor %}
    {% do return(found) %}
{% endmacro %}
