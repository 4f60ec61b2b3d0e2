{# What the rankings share: which scopes and periods, what a set of groups is, and the mart itself. #}

{# Scopes whose members are ranked: each has the mart <scope>_ranking. #}
{% macro ranked_scopes() %}
    {% do return(['agent', 'department', 'site']) %}
{% endmacro %}

{# Days and weeks are not ranked: hardly a group has the answers a rank needs. #}
{% macro ranked_periods() %}
    {% do return(['month', 'quarter', 'year', 'all']) %}
{% endmacro %}

{# The columns that make a set of groups that are ranked among each other. #}
{% macro ranking_set() %}
    {% do return(['scope_type', 'survey_type', 'period_type', 'period_start']) %}
{% endmacro %}

{# Tie groups that a ranking may have: so many passes are written out. #}
{% macro most_tie_groups() -%}
    {%- do return(40) -%}
{%- endmacro %}
