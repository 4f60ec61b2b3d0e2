{# What Spark needs to be told when tables are made. Each `spark__x` stands in for the `default__x`, or
   for dbt's own. #}

{# Contracts and seeds name types as DuckDB does. #}
{% macro spark__get_empty_schema_sql(columns) %}
    {{ return(default__get_empty_schema_sql(columns_in_engine_types(columns))) }}
{% endmacro %}

{% macro spark_seed_type(model, agate_table, name, place) -%}
    {{ return(engine_type(
        model['config'].get('column_types', {}).get(name) or adapter.convert_type(agate_table, place)
    )) }}
{%- endmacro %}

{% macro spark__create_csv_table(model, agate_table) %}
    {% set columns = [] %}
    {% for name in agate_table.column_names %}
        {% do columns.append(name ~ ' ' ~ spark_seed_type(model, agate_table, name, loop.index0)) %}
    {% endfor %}
    {% set create %}
        create table {{ this.render() }} ({{ columns | join(', ') }}) {{ file_format_clause() }}
    {% endset %}
    {% call statement('_') %}
        {{ create }}
    {% endcall %}
    {{ return(create) }}
{% endmacro %}

{% macro spark__load_csv_rows(model, agate_table) %}
    {% set types = [] %}
    {% for name in agate_table.column_names %}
        {% do types.append(spark_seed_type(model, agate_table, name, loop.index0)) %}
    {% endfor %}
    {% set insert = 'insert into ' ~ this.render() ~ ' values ' %}
    {% for chunk in agate_table.rows | batch(1000) %}
        {% set bindings = [] %}
        {% set rows = [] %}
        {% for row in chunk %}
            {% do bindings.extend(row) %}
            {% do rows.append('(cast(%s as ' ~ types | join('), cast(%s as ') ~ '))') %}
        {% endfor %}
        {% do adapter.add_query(insert ~ rows | join(', '), bindings=bindings, abridge_sql_log=true) %}
    {% endfor %}
    {{ return(insert ~ '…') }}
{% endmacro %}

{# One statement: nothing is noted of a seed, as every build is a full one. #}
{% macro spark__use_business_seed() %}
    {% set own = adapter.get_relation(none, 'raw', 'seed_' ~ this.identifier) %}
    {% if own is not none %}
        insert overwrite {{ this }}
        select
            {% for column in adapter.get_columns_in_relation(this) -%}
                cast({{ trimmed(column.name) }} as {{ column.dtype }}) as {{ column.name }}
                {{- "," if not loop.last }}
            {% endfor %}
        from {{ own }}
    {% endif %}
{% endmacro %}

{# The files are landed beforehand. #}
{% macro spark__land_raw_files() %}
    {% if adapter.get_relation(none, 'raw', '_landing') is none %}
        {% do return({'errors': [
            'Nothing is landed in Spark: run scripts/spark land, which brings the files of '
            ~ 'NPS_RAW_DIR there.'
        ], 'warnings': []}) %}
    {% endif %}
    {% do return({'errors': [], 'warnings': []}) %}
{% endmacro %}

{# Every build is a full one: there is nothing to remember. #}
{% macro spark__prepare_state() %}
{% endmacro %}

{% macro spark__increments_are_offered() %}
    {% do return(false) %}
{% endmacro %}

{# A query of which every CTE that materialized() marks has become a table: of its text, and of the
   tables that are made before it. Each is computed once, and the plan of what reads it begins with
   it: ten CTEs that each read the one before twice would else be one plan of a thousand scans. #}
{% macro spark_staged(query) %}
    {% set parsed = spark_ctes(query) %}
    {% set tables = [] %}
    {% set ctes = [] %}
    {% for name, is_materialized, body in parsed.ctes %}
        {% if is_materialized %}
            {% set table = spark_staging_table(name) %}
            {% do tables.append({'name': table, 'query': spark_with(ctes, body)}) %}
            {% do ctes.append((name, 'select * from ' ~ table)) %}
        {% else %}
            {% do ctes.append((name, body)) %}
        {% endif %}
    {% endfor %}
    {% do return({
        'tables': tables,
        'query': spark_with(ctes, parsed.rest) if tables else query,
    }) %}
{% endmacro %}

{% macro spark_staging_table(cte) %}
    {% do return('staging.' ~ model.name ~ '__' ~ cte) %}
{% endmacro %}

{# The CTEs of a text that begins with `with`: their names, whether materialized() marks them, and what
   is in their brackets; and the rest of the text. It is read once from its begin to its end. #}
{% macro spark_ctes(text) %}
    {% set begins = '^(?:[\\s,]|--[^\\n]*\\n)*(?:with\\b(?:\\s|--[^\\n]*\\n)*)?'
        ~ '(\\w+) as (/[*] materialized [*]/ )?$' %}
    {% set found = [] %}
    {% set at = namespace(depth=0, opened=0, closed=0, cte=none) %}
    {% for bracket in spark_brackets(text) if at.depth >= 0 %}
        {% if bracket.group() == '(' %}
            {% if at.depth == 0 %}
                {% set at.cte = modules.re.match(begins, text[at.closed:bracket.start()]) %}
                {% set at.opened = bracket.end() %}
            {% endif %}
            {% set at.depth = at.depth + 1 if at.cte else -1 %}
        {% else %}
            {% set at.depth = at.depth - 1 %}
            {% if at.depth == 0 %}
                {% do found.append((
                    at.cte.group(1), at.cte.group(2) is not none, text[at.opened:bracket.start()]
                )) %}
                {% set at.closed = bracket.end() %}
            {% endif %}
        {% endif %}
    {% endfor %}
    {% do return({'ctes': found, 'rest': text[at.closed:]}) %}
{% endmacro %}

{# A query behind those CTEs that it needs, and that these need: each is analysed, needed or not. #}
{% macro spark_with(ctes, query) %}
    {% set needed = [] %}
    {% set at = namespace(text=query) %}
    {% for name, body in ctes | reverse %}
        {% if modules.re.search('\\b' ~ name ~ '\\b', at.text) %}
            {% do needed.insert(0, name ~ ' as (' ~ body ~ ')') %}
            {% set at.text = at.text ~ ' ' ~ body %}
        {% endif %}
    {% endfor %}
    {% do return(('with ' ~ needed | join(', ') ~ ' ' if needed else '') ~ query) %}
{% endmacro %}

{# The brackets of a text, as matches of a pattern; those of texts and comments are no brackets. #}
{% macro spark_brackets(text) %}
    {% set brackets = [] %}
    {% for token in modules.re.finditer(
        "--[^\\n]*|r'[^']*'|'(?:[^'\\\\]|\\\\.)*'|[()]", text
    ) if token.group() in ['(', ')'] %}
        {% do brackets.append(token) %}
    {% endfor %}
    {% do return(brackets) %}
{% endmacro %}

{# How many characters there are before the bracket that ends what a call began. #}
{% macro spark_length(text) %}
    {% set at = namespace(length=0, depth=1) %}
    {% for bracket in spark_brackets(text) if at.depth > 0 %}
        {% set at.depth = at.depth + {'(': 1, ')': -1}[bracket.group()] %}
        {% set at.length = bracket.start() %}
    {% endfor %}
    {% do return(at.length) %}
{% endmacro %}

{# The engine keeps no function of SQL: what reads comments is landed as text, which takes the place of
   each call. #}
{% macro spark_with_readers(query) %}
    {% set at = namespace(query=query, body='') %}
    {% if modules.re.search('raw[.][a-z_]+[(]', query) %}
        {% for reader in run_query(
            'select name, parameters, body from raw._comment_readers'
        ).rows %}
            {% set call = 'raw.' ~ reader[0] ~ '(' %}
            {% for _ in range(query.count(call)) %}
                {% set head, rest = at.query.split(call, 1) %}
                {% set length = spark_length(rest) %}
                {% set arguments = rest[:length].split(', ') %}
                {% set at.body = reader[2] %}
                {% for parameter in reader[1].split(', ') %}
                    {% set at.body = modules.re.sub(
                        '\\b' ~ parameter ~ '\\b', '\x00' ~ loop.index0 ~ '\x00', at.body
                    ) %}
                {% endfor %}
                {% for argument in arguments %}
                    {% set at.body = at.body.replace(
                        '\x00' ~ loop.index0 ~ '\x00', argument | trim
                    ) %}
                {% endfor %}
                {% set at.query = head ~ '(' ~ at.body ~ ')' ~ rest[length + 1:] %}
            {% endfor %}
        {% endfor %}
    {% endif %}
    {% do return(at.query) %}
{% endmacro %}

{# As dbt's own makes a table, in the steps of spark_staged. #}
{% macro spark__create_table_as(temporary, relation, compiled_code, language='sql') %}
    {% set staged = spark_staged(spark_with_readers(compiled_code)) %}
    {% for table in staged.tables %}
        {% call statement('staged') %}
            create or replace table {{ table.name }} using iceberg as {{ table.query }}
        {% endcall %}
    {% endfor %}
    {{ dbt.spark__create_table_as(temporary, relation, staged.query, language) }}
{% endmacro %}

{# A catalog of files has no views, and no transaction spans several statements: what is a view or
   grows elsewhere is made anew here, as what is a table anywhere. #}
{% macro spark_made_anew() %}
    {% set made = dbt.materialization_table_spark() %}
    {% for cte in modules.re.findall('(\\w+) as /[*] materialized [*]/ [(]', model.compiled_code) %}
        {% call statement('staged') %}
            drop table {{ spark_staging_table(cte) }} purge
        {% endcall %}
    {% endfor %}
    {% do return(made) %}
{% endmacro %}

{% materialization table, adapter='spark' %}
    {{ return(spark_made_anew()) }}
{% endmaterialization %}

{% materialization view, adapter='spark' %}
    {{ return(spark_made_anew()) }}
{% endmaterialization %}

{% materialization incremental, adapter='spark' %}
    {{ return(spark_made_anew()) }}
{% endmaterialization %}
