{# What a build does before its first model, without the build: `dbt run-operation land`, which step
   `land` of `nps run` calls. #}
{% macro land() %}
    {% set problems = problems_of_start() %}
    {% if problems %}
        {% do exceptions.raise_compiler_error(problems | join('\n')) %}
    {% endif %}
{% endmacro %}
