{# Vars of the marts about drivers that can't be worked with. #}
{% macro problems_of_driver_vars() %}
    {% set problems = [] %}

    {% set legs = var('nps_transfer_path_legs') %}
    {% if legs is not integer or legs is boolean or legs < 1 %}
        {% do problems.append(refused_var('nps_transfer_path_legs', 'a whole number, 1 or more')) %}
    {% endif %}

    {% if var('nps_repeat_same_reason') is not boolean %}
        {% do problems.append(refused_var('nps_repeat_same_reason', 'true or false')) %}
    {% endif %}

    {% set named = var('nps_importance_drivers') %}
    {% set is_list = named is iterable and named is not string and named is not mapping %}
    {% if (
        not is_list
        or named | length < 2
        or named | length > importance_places() | length
        or named | unique | list | length < named | length
        or named | reject('in', drivers()) | list
    ) %}
        {% do problems.append(refused_var(
            'nps_importance_drivers',
            'a list of two to ' ~ importance_places() | length ~ ' different ones of '
            ~ drivers() | join(', ')
        )) %}
    {% endif %}

    {% do return(problems) %}
{% endmacro %}
