{# What an incremental model has taken in, and what it changed. The tables live in schema staging and
   are written in the transaction of the model itself: a build that is killed leaves a model's rows
   and what is noted about them as they were, and what is pending stays pending.

   _changes (producer, kind, value, seq): a model changed the rows of a key, a link, a date, a file.
   _applied (model, definition, seq, landing): up to where a model has read changes and files, and
       what its rows were made by.
   _definition (definition): what decides the rows of this run, but for files and seeds.
   _seed_contents (seed, digest): what was loaded of a seed. #}
{% macro state(table) -%}
    staging._{{ table }}
{%- endmacro %}

{# Makes the tables where they are missing, and notes what decides rows in this run. #}
{% macro prepare_state() %}
    {% do return(adapter.dispatch('prepare_state')()) %}
{% endmacro %}

{% macro default__prepare_state() %}
    {% do run_query('create schema if not exists staging') %}
    {% set before = none %}
    {% if adapter.get_relation(target.database, 'staging', '_definition') is not none %}
        {% set before = run_query('select definition from ' ~ state('definition')).rows %}
    {% endif %}
    {% do run_query(
        'create table if not exists ' ~ state('changes')
        ~ ' (producer varchar, kind varchar, value varchar, seq bigint)'
    ) %}
    {% do run_query(
        'create table if not exists ' ~ state('applied')
        ~ ' (model varchar, definition varchar, seq bigint, landing bigint)'
    ) %}
    {% do run_query(
        'create table if not exists ' ~ state('seed_contents') ~ ' (seed varchar, digest varchar)'
    ) %}
    {% do run_query(
        'create table if not exists ' ~ state('definition') ~ ' (definition varchar)'
    ) %}
    {% do run_query('delete from ' ~ state('definition')) %}
    {% do run_query('insert into ' ~ state('definition') ~ ' ' ~ definition_of_run()) %}
    {% set now = run_query('select definition from ' ~ state('definition')).rows %}
    {% if before and before[0][0] != now[0][0] %}
        {# Every model is built anew: what was noted says nothing, and may name who was forgotten. #}
        {% do run_query('delete from ' ~ state('applied')) %}
        {% do run_query('delete from ' ~ state('changes')) %}
        {% do log(
            'Full refresh: ' ~ what_differs(before[0][0], now[0][0]) ~ ' changed since the last run.',
            info=true
        ) %}
    {% endif %}
    {% do forget_old_changes() %}
{% endmacro %}

{# The texts that decide rows besides the files, with commas between: each part a name and a digest. #}
{% macro definition_of_run() -%}
    {%- set values = {} -%}
    {%- for name in vars_of_rows() -%}
        {%- do values.update({name: var(name)}) -%}
    {%- endfor -%}
    {%- set salt = " || " ~ agent_salt() if var('agent_identity') == 'pseudonym' else '' -%}
    select
        'landed files=' || cast(history_since as varchar)
        || ',project=' || project
        || ',vars=' || {{ digest("'" ~ local_md5(tojson(values, sort_keys=true)) ~ "'" ~ salt) }}
        || ',dbt={{ dbt_version }} on {{ target.type }}'
        || ',raw tables read beside files={{ adapters_that_are_on() | length }}' as definition
    from raw._landing
{%- endmacro %}

{# Vars that decide a row of an incremental model (a test compares them with the code). #}
{% macro vars_of_rows() %}
    {% do return([
        'nps_timezone', 'nps_earliest', 'nps_latest', 'as_of', 'nps_period_basis', 'agent_identity',
        'nps_retention_months', 'qualtrics_schema', 'qualtrics_nps_question', 'zendesk_schema',
        'zendesk_score_field',
    ]) %}
{% endmacro %}

{# Names of the parts in which two definitions differ. #}
{% macro what_differs(before, now) %}
    {% set names = [] %}
    {% for part in now.split(',') if part not in before.split(',') %}
        {% do names.append(part.split('=')[0]) %}
    {% endfor %}
    {% do return(names | join(', ') or 'the definition') %}
{% endmacro %}

{# After a seed is loaded: a digest of its rows, and that they changed, if they did. #}
{% macro note_seed_contents() -%}
    {%- set cells = [] -%}
    {%- for column in adapter.get_columns_in_relation(this) -%}
        {%- do cells.append("coalesce(cast(" ~ column.quoted ~ " as varchar) || ';', '-')") -%}
    {%- endfor -%}
    {{ temporary_table(scratch('loaded')) }}
    select coalesce({{ digest(joined_texts('row_text', 'row_text')) }}, '') as digest
    from (
        select {{ cells | join(" || ',' || ") }} as row_text from {{ this }}
    ) as every_row;
    {{ note(
        'everything',
        "select '*' as value from " ~ scratch('loaded') ~ ' where digest not in (select digest from '
        ~ state('seed_contents') ~ " where seed = '" ~ this.identifier ~ "')"
    ) }}
    delete from {{ state('seed_contents') }} where seed = '{{ this.identifier }}';
    insert into {{ state('seed_contents') }}
    select
        '{{ this.identifier }}' as seed,
        digest
    from {{ scratch('loaded') }};
    drop table {{ scratch('loaded') }};
{%- endmacro %}

{# Changes that every model has read are of no more use. #}
{% macro forget_old_changes() %}
    {% set models = [] %}
    {% for node in graph.nodes.values()
        if node.resource_type == 'model' and node.config.materialized == 'incremental' %}
        {% do models.append(node.name) %}
    {% endfor %}
    {% do run_query(
        'delete from ' ~ state('changes') ~ ' where seq <= (select case when count(*) = '
        ~ (models | length) ~ ' then min(seq) end from ' ~ state('applied')
        ~ " where model in ('" ~ models | join("', '") ~ "'))"
    ) %}
{% endmacro %}
