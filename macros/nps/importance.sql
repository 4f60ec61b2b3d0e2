{# What the shares of explained variance are computed of: sums of whole numbers, each under a name.
   A driver counts by the order of its band, an answer as -1, 0 or 1. #}

{# Places of drivers: eight, however many the var nps_importance_drivers names. #}
{% macro importance_places() %}
    {% do return(range(1, 9) | list) %}
{% endmacro %}

{# The driver of a place; none for a place that is empty. #}
{% macro importance_driver(place) %}
    {% set named = var('nps_importance_drivers') %}
    {% do return(named[place - 1] if place <= named | length else none) %}
{% endmacro %}

{# Name of each sum, in the order that nps_lmg takes them, and what is summed of an answer with the
   columns contribution and order_1 … order_8. #}
{% macro importance_sums() %}
    {% set sums = {
        'answers': '1', 'y': 'contribution', 'yy': 'contribution * contribution',
    } %}
    {% for i in importance_places() %}
        {% do sums.update({'x_' ~ i: 'order_' ~ i}) %}
    {% endfor %}
    {% for i in importance_places() %}
        {% do sums.update({'xy_' ~ i: 'order_' ~ i ~ ' * contribution'}) %}
    {% endfor %}
    {% for i in importance_places() %}
        {% for j in importance_places() if j >= i %}
            {% do sums.update({'xx_' ~ i ~ '_' ~ j: 'order_' ~ i ~ ' * order_' ~ j}) %}
        {% endfor %}
    {% endfor %}
    {% do return(sums) %}
{% endmacro %}

{# The places that a sum is about. #}
{% macro places_of_sum(name) %}
    {% set places = [] %}
    {% for part in name.split('_')[1:] %}
        {% do places.append(part | int) %}
    {% endfor %}
    {% do return(places | unique | list) %}
{% endmacro %}

{# The sums as columns of an aggregate. #}
{% macro importance_measures() -%}
    {%- for name, term in importance_sums().items() -%}
        cast(sum({{ term }}) as bigint) as {{ name }}{{ ",
        " if not loop.last }}
    {%- endfor -%}
{%- endmacro %}

{# The sums added up, with 0 for those of a driver that is not used: aggregates of rows with the sums
   and uses_1 … uses_8. #}
{% macro sums_of_used_drivers() -%}
    {%- for name in importance_sums() -%}
        {%- set places = places_of_sum(name) -%}
        {%- if places -%}
            sum(
                case
                    when uses_{{ places | join(' and uses_') }}
                        then {{ name }}
                    else 0
                end
            ) as {{ name }}
        {%- else -%}
            sum({{ name }}) as {{ name }}
        {%- endif -%}
        {{- ",
        " if not loop.last }}
    {%- endfor -%}
{%- endmacro %}

{# Whether an answer, or a set of them, has every driver used. #}
{% macro has_every_used_driver() -%}
    {%- for place in importance_places() -%}
        (has_{{ place }} or not uses_{{ place }})
        {{- "
        and " if not loop.last }}
    {%- endfor -%}
{%- endmacro %}
