{# What happens before the first model: vars are checked, raw files are landed. Everything that is
   wrong is said in one failing statement, so that the reader gets one message and no model runs. #}
{% macro prepare_run() %}
    {% if not execute or flags.WHICH not in ['build', 'run', 'seed', 'retry'] %}
        {% do return('') %}
    {% endif %}
    {% set problems = problems_of_start() %}
    {% if problems %}
        {% do return(failing_statement(problems | join('\n'))) %}
    {% endif %}
{% endmacro %}

{# Checks the vars, lands the files, makes what models note their progress in; returns what is wrong. #}
{% macro problems_of_start() %}
    {% set problems = problems_of_vars() + problems_of_trend_vars() %}
    {% set problems = problems + problems_of_driver_vars() + problems_of_voice_vars() %}
    {% set problems = problems + problems_of_follow_up_vars() + problems_of_value_vars() %}
    {% set problems = problems + problems_of_initiative_vars() + problems_of_frontline_vars() %}
    {% set problems = problems + problems_of_warehouse_name() %}
    {% if not problems %}
        {% set landed = land_raw_files() %}
        {% for warning in landed.warnings %}
            {% do exceptions.warn(warning) %}
        {% endfor %}
        {% set problems = landed.errors %}
        {% if not problems %}
            {% do prepare_state() %}
            {% do keep_written() %}
        {% endif %}
    {% endif %}
    {% do return(problems) %}
{% endmacro %}

{# Lands NPS_RAW_DIR (and business seeds of NPS_SEEDS_DIR) as schema raw; returns its report. What
   an adapter brings need not be there. #}
{% macro land_raw_files() %}
    {% do return(adapter.dispatch('land_raw_files')()) %}
{% endmacro %}

{% macro default__land_raw_files() %}
    {% set folders = [env_var('NPS_RAW_DIR', ''), env_var('NPS_SEEDS_DIR', '')] %}
    {% set adapted = adapters_that_are_on() | join(',') %}
    {% set call %}
        select nps_land(
            '{{ folders[0].replace("'", "''") }}',
            '{{ folders[1].replace("'", "''") }}',
            '{{ adapted }}'
        )
    {% endset %}
    {% do return(fromjson(run_query(call).rows[0][0])) %}
{% endmacro %}

{# A DuckDB file named like one of its schemas, or like the attached state, makes `marts.nps_by_period` ambiguous to readers. #}
{% macro problems_of_warehouse_name() %}
    {% set taken = ['raw', 'reference', 'staging', 'categorized', 'marts', 'quality', 'state'] %}
    {% if target.type == 'duckdb' and target.database | lower in taken %}
        {% do return([
            'NPS_WAREHOUSE: a file named "' ~ target.database ~ '" has the name of a schema in it, '
            ~ 'and every query of that schema would be ambiguous; choose another file name.'
        ]) %}
    {% endif %}
    {% do return([]) %}
{% endmacro %}
