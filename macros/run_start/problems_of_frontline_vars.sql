{# Vars of the marts for the frontline that can't be worked with. #}
{% macro problems_of_frontline_vars() %}
    {% set characters = var('nps_huddle_comment_characters') %}
    {% if characters is not integer or characters < 20 %}
        {% do return([
            refused_var('nps_huddle_comment_characters', 'a whole number of characters, 20 or more')
        ]) %}
    {% endif %}
    {% do return([]) %}
{% endmacro %}
