{# Increments of parsed and superseded rows: by file, then by key. #}

{# The column by which a table's versions are told apart, or its first part: those of one value are
   judged together. And columns that point from a row to others whose facts show something of it. #}
{% macro first_keys() %}
    {% do return({
        'survey_responses': 'response_id',
        'contacts': 'contact_id',
        'departments': 'department_id',
        'agents': 'agent_id',
        'agent_assignments': 'agent_id',
        'contact_legs': 'contact_id',
        'customers': 'customer_id',
        'customer_revenue': 'customer_id',
        'survey_invitations': 'invitation_id',
        'follow_ups': 'follow_up_id',
        'initiatives': 'initiative_id',
        'evaluations': 'contact_id',
    }) %}
{% endmacro %}

{% macro links_of(table) %}
    {% do return({'survey_responses': ['contact_id', 'invitation_id']}.get(table, [])) %}
{% endmacro %}

{# The raw table of a staging model such as parsed_contacts. #}
{% macro raw_table_of_model() %}
    {% do return(this.identifier.split('_', 1)[1]) %}
{% endmacro %}

{# A query: files of a table whose rows this model has not taken in. #}
{% macro new_files(table) -%}
    select source_file as value from raw._files
    where
        table_name = '{{ table }}'
        and landed_in > {{ applied_up_to('landing') }}
{%- endmacro %}

{# What `parsed_rows` reads: every delivered row, or those of new files. #}
{% macro rows_to_parse(table, columns) -%}
    {%- if is_incremental() -%}
        raw._pending_{{ table }}
        where _source_file in ({{ new_files(table) }})
    {%- else -%}
        {{ delivered_rows(table, columns) }}
    {%- endif -%}
{%- endmacro %}

{# Pre-hook of parsed rows: takes out the rows of files that changed or vanished. #}
{% macro take_out_gone_files() -%}
    {%- if is_incremental() -%}
        {{ temporary_table(scratch('gone')) }}
        select held._source_file
        from (select _source_file from {{ this }} group by _source_file) as held
        left join raw._files as files
            on
                files.table_name = '{{ raw_table_of_model() }}'
                and held._source_file = files.source_file
                and files.landed_in <= {{ applied_up_to('landing') }}
        where files.source_file is null;
        {{ temporary_table(scratch('removed')) }}
        select * from {{ this }}
        where _source_file in (select _source_file from {{ scratch('gone') }});
        delete from {{ this }}
        where _source_file in (select _source_file from {{ scratch('gone') }});
    {%- endif -%}
{%- endmacro %}

{# Post-hook of parsed rows: notes new files, and the keys and links whose rows differ. A row that
   only moved, in its file or to another, does not differ. #}
{% macro note_parsed_files() -%}
    {%- set was_incremental = is_incremental() -%}
    {%- if was_incremental -%}
        {%- set table = raw_table_of_model() -%}
        {%- set differing = scratch('differing') -%}
        {{ temporary_table(scratch('added')) }}
        select * from {{ this }}
        where _source_file in ({{ new_files(table) }});
        {{ temporary_table(differing) }}
        {{ rows_that_differ(scratch('added'), scratch('removed'), columns_that_count()) }};
        {{ note('file', new_files(table)) }}
        {{ note('key', 'select ' ~ first_keys()[table] ~ ' as value from ' ~ differing) }}
        {% for link in links_of(table) -%}
            {{ note(link, 'select ' ~ link ~ ' as value from ' ~ differing) }}
        {% endfor -%}
        {% for name in ['gone', 'removed', 'added', 'differing'] -%}
            drop table {{ scratch(name) }};
        {% endfor -%}
    {%- endif %}
    {{ note_applied(was_incremental) }}
{%- endmacro %}

{# Pre-hook of superseded rows: takes out those of keys with a row in a new file, or that lost one. #}
{% macro take_out_versions() -%}
    {%- if is_incremental() -%}
        {%- set table = raw_table_of_model() -%}
        {%- set parsed = 'parsed_' ~ table -%}
        {{ temporary_table(scratch('changed')) }}
        select value from (
            {{ changes_of(parsed) }}
            union all
            select {{ first_keys()[table] }} as value from {{ ref(parsed) }}
            where _source_file in ({{ changes_of(parsed, 'file') }})
        ) as every_change
        where value is not null
        group by value;
        {{ temporary_table(scratch('before')) }}
        select * from {{ this }}
        where first_key in (select value from {{ scratch('changed') }});
        delete from {{ this }}
        where first_key in (select value from {{ scratch('changed') }});
    {%- endif -%}
{%- endmacro %}

{# Post-hook of superseded rows: notes the keys of which another version may be the newest, and what
   their versions point to, those that are gone included. #}
{% macro note_versions() -%}
    {%- set was_incremental = is_incremental() -%}
    {%- if was_incremental -%}
        {%- set table = raw_table_of_model() -%}
        {%- set parsed = 'parsed_' ~ table -%}
        {%- set first_key = first_keys()[table] -%}
        {{ temporary_table(scratch('after')) }}
        select * from {{ this }}
        where first_key in (select value from {{ scratch('changed') }});
        {{ temporary_table(scratch('told')) }}
        {{ changes_of(parsed) }}
        union all
        select first_key as value from (
            {{ rows_that_differ(
                scratch('after'), scratch('before'),
                ['first_key', 'record_key', '_source_file', '_source_row'],
            ) }}
        ) as differing;
        {{ note('key', 'select value from ' ~ scratch('told')) }}
        {% for link in links_of(table) -%}
            {{ note(
                link,
                changes_of(parsed, link) ~ ' union all select ' ~ link ~ ' as value from '
                ~ ref(parsed) ~ ' where ' ~ first_key ~ ' in (select value from '
                ~ scratch('told') ~ ')'
            ) }}
        {% endfor -%}
        {% for name in ['changed', 'before', 'after', 'told'] -%}
            drop table {{ scratch(name) }};
        {% endfor -%}
    {%- endif %}
    {{ note_applied(was_incremental) }}
{%- endmacro %}
