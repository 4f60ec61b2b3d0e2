{# The same of the vars of the marts about surveys. #}
{% macro problems_of_survey_vars() %}
    {% set problems = [] %}

    {% for name, least in {
        'nps_fatigue_invitations': 0, 'nps_burst_answers': 2, 'nps_expected_invitations': 1,
    }.items() %}
        {% if var(name) is not integer or var(name) < least %}
            {% do problems.append(refused_var(name, 'a whole number, ' ~ least ~ ' or more')) %}
        {% endif %}
    {% endfor %}

    {% set points = var('nps_nonresponse_points') %}
    {% if not is_number(points) or points < 0 or points > 200 %}
        {% do problems.append(refused_var('nps_nonresponse_points', 'points, 0-200')) %}
    {% endif %}

    {% set cap = var('nps_weight_cap') %}
    {% if cap is not none and (not is_number(cap) or cap <= 1) %}
        {% do problems.append(refused_var('nps_weight_cap', 'a number above 1, or null')) %}
    {% endif %}

    {% set ratio = var('nps_selective_inviting_ratio') %}
    {% if not is_number(ratio) or ratio <= 0 or ratio >= 1 %}
        {% do problems.append(
            refused_var('nps_selective_inviting_ratio', 'a number between 0 and 1')
        ) %}
    {% endif %}

    {% set heaped = var('nps_heaped_scores') %}
    {% set is_list = heaped is iterable and heaped is not string and heaped is not mapping %}
    {% if not is_list or not heaped or heaped | reject('in', range(11)) | list %}
        {% do problems.append(refused_var('nps_heaped_scores', 'a list of scores, 0-10')) %}
    {% endif %}

    {% do return(problems) %}
{% endmacro %}

{# Whether a var is a number; true and false are none. #}
{% macro is_number(value) %}
    {% do return(value is number and value is not boolean) %}
{% endmacro %}
