{# The hooks of incremental models. Before an increment (pre-hook) the rows that may differ are taken
   out, the model then adds them anew (strategy append), and what that changed is noted for the
   models that follow (post-hook): one transaction, made of deletes and inserts alone. #}

{# Up to where this model has read changes; the landing up to which it has taken in files. #}
{% macro applied_up_to(what='seq') -%}
    (select {{ what }} from {{ state('applied') }} where model = '{{ this.identifier }}')
{%- endmacro %}

{# A query: values that a model has noted since this model ran last. #}
{% macro changes_of(producer, kind='key') -%}
    select value from {{ state('changes') }}
    where
        producer = '{{ producer }}'
        and kind = '{{ kind }}'
        and seq > {{ applied_up_to() }}
{%- endmacro %}

{# The newest number that was given to a change; changes that everyone has read are gone. #}
{% macro newest_seq() -%}
    (
        select coalesce(max(seq), 0) from (
            select seq from {{ state('changes') }}
            union all
            select seq from {{ state('applied') }}
        ) as numbers
    )
{%- endmacro %}

{# A statement: notes each value of a query once. #}
{% macro note(kind, values) -%}
    insert into {{ state('changes') }}
    select
        '{{ this.identifier }}' as producer,
        '{{ kind }}' as kind,
        noted.value,
        {{ newest_seq() }} + 1 as seq
    from (
        {{ values }}
    ) as noted
    where noted.value is not null
    group by noted.value;
{%- endmacro %}

{# Statements at the end of a post-hook: this model has read every change and file there is. Nothing
   is noted where the engine builds it anew each time. #}
{% macro note_applied(was_incremental) -%}
    {%- if increments_are_offered() -%}
    {%- if not was_incremental -%}
        {{ note('everything', "select '*' as value") }}
    {%- endif %}
    delete from {{ state('applied') }} where model = '{{ this.identifier }}';
    insert into {{ state('applied') }}
    select
        '{{ this.identifier }}' as model,
        (select definition from {{ state('definition') }}) as definition,
        {{ newest_seq() }} as seq,
        (select landing_number from raw._landing) as landing;
    {%- endif -%}
{%- endmacro %}

{# A relation built in this transaction for this model alone. #}
{% macro scratch(name) -%}
    _{{ name }}_{{ this.identifier }}
{%- endmacro %}

{# A query: the keys taken out. #}
{% macro changed_keys(type) -%}
    select {{ 'value' if type == 'varchar' else 'cast(value as ' ~ type ~ ')' }}
    from {{ scratch('changed') }}
{%- endmacro %}

{# Rows of a relation whose key is among those taken out; all of them where everything is built. #}
{% macro changed_rows(relation, key, type='varchar') -%}
    {%- if is_incremental() -%}
        (
            select * from {{ relation }}
            where {{ key }} in ({{ changed_keys(type) }})
        ) as changed_rows
    {%- else -%}
        {{ relation }}
    {%- endif -%}
{%- endmacro %}

{# Rows of a relation that the few rows of this increment point to; all of them where everything is
   built. DuckDB does not foresee that they are few, and would put the whole relation in a hash table.

   links: a query, the keys pointed to. #}
{% macro linked_rows(relation, key, links) -%}
    {%- if is_incremental() -%}
        (
            select * from {{ relation }}
            where {{ key }} in ({{ links }})
        ) as linked_rows
    {%- else -%}
        {{ relation }}
    {%- endif -%}
{%- endmacro %}

{# Rows of one scratch relation that the other lacks, and the other way about, by these columns. #}
{% macro rows_that_differ(one, other, columns) -%}
    {%- set shown = columns | join(', ') -%}
    (select {{ shown }} from {{ one }} except all select {{ shown }} from {{ other }})
    union all
    (select {{ shown }} from {{ other }} except all select {{ shown }} from {{ one }})
{%- endmacro %}

{# Columns of this model but for where a row was delivered. #}
{% macro columns_that_count() %}
    {% set names = [] %}
    {% for column in adapter.get_columns_in_relation(this) %}
        {% if column.name not in ['_source_file', '_source_row'] %}
            {% do names.append(column.quoted) %}
        {% endif %}
    {% endfor %}
    {% do return(names) %}
{% endmacro %}

{# Pre-hook: takes out the rows of changed keys.

   key:     column of this model.
   changed: a query with the column `value`, the keys as texts.
   type:    the key's type.
   dates:   column whose values are noted, of rows taken out here and of rows added by `note_added`. #}
{% macro take_out(key, changed, type='varchar', dates=none) -%}
    {%- if is_incremental() -%}
        {{ temporary_table(scratch('changed')) }}
        select value from (
            {{ changed }}
        ) as every_change
        where value is not null
        group by value;
        {%- set is_changed = key ~ ' in (' ~ changed_keys(type) ~ ')' %}
        {% if dates -%}
            {{ note(
                dates,
                'select cast(' ~ dates ~ ' as varchar) as value from ' ~ this ~ ' where ' ~ is_changed
            ) }}
        {%- endif %}
        delete from {{ this }} where {{ is_changed }};
    {%- endif -%}
{%- endmacro %}

{# Post-hook beside `take_out`. #}
{% macro note_added(key, type='varchar', dates=none) -%}
    {%- set was_incremental = is_incremental() -%}
    {%- if was_incremental -%}
        {{ note('key', 'select value from ' ~ scratch('changed')) }}
        {% if dates -%}
            {{ note(
                dates,
                'select cast(' ~ dates ~ ' as varchar) as value from ' ~ this
                ~ ' where ' ~ key ~ ' in (' ~ changed_keys(type) ~ ')'
            ) }}
        {%- endif %}
        drop table {{ scratch('changed') }};
    {%- endif %}
    {{ note_applied(was_incremental) }}
{%- endmacro %}

{# Pre-hook of a small table that is made as a whole: keeps what it was. #}
{% macro keep_what_was() -%}
    {%- if is_incremental() -%}
        {{ temporary_table(scratch('before')) }}
        select * from {{ this }};
        delete from {{ this }};
    {%- endif -%}
{%- endmacro %}

{# Post-hook beside it: notes the keys whose rows are not what they were. #}
{% macro note_what_differs(key) -%}
    {%- set was_incremental = is_incremental() -%}
    {%- if was_incremental -%}
        {{ note(
            'key',
            'select ' ~ key ~ ' as value from ('
            ~ rows_that_differ(this, scratch('before'), columns_that_count())
            ~ ') as differing'
        ) }}
        drop table {{ scratch('before') }};
    {%- endif %}
    {{ note_applied(was_incremental) }}
{%- endmacro %}
