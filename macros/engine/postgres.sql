{# What PostgreSQL spells otherwise, macro by macro: each `postgres__x` stands in for the `default__x`
   that is described where `x` is. #}

{# PostgreSQL keeps the last 32 patterns compiled, so each is taken through all comments before the
   next: `offset 0` holds the planner to it. The patterns are landed beside the functions. #}
{% macro postgres__comments_read(folded) -%}
    {%- set spoken -%}
        (
            findings.language = ''
            or findings.language = comments.language
            or not coalesce(comments.language, '') = any(findings.known_languages)
        )
    {%- endset -%}
    {%- set text = "replace(comments.folded_text, ' ', '  ')" -%}
    select
        comments.response_id,
        '|' || coalesce(themes.said_themes, '') as said_themes,
        coalesce(words.sentiment_weight, 0) as sentiment_weight
    from {{ folded }} as comments
    left join (
        select
            response_id,
            string_agg(theme || '|', '' order by theme) as said_themes
        from (
            select
                found.response_id,
                findings.theme
            from raw._theme_findings as findings
            cross join lateral (
                select comments.response_id
                from {{ folded }} as comments
                where
                    {{ spoken }}
                    and comments.folded_text ~ findings.pattern
                    and (
                        findings.denied is null
                        or regexp_replace(comments.folded_text, findings.denied, ' ', 'g')
                        ~ findings.pattern
                    )
                offset 0
            ) as found
            group by found.response_id, findings.theme
        ) as said
        group by response_id
    ) as themes
        on comments.response_id = themes.response_id
    left join (
        select
            found.response_id,
            sum(findings.weight * found.met) as sentiment_weight
        from raw._word_findings as findings
        cross join lateral (
            select
                comments.response_id,
                regexp_count({{ text }}, findings.pattern)
                - coalesce(2 * regexp_count({{ text }}, findings.denied), 0) as met
            from {{ folded }} as comments
            where
                {{ spoken }}
                and {{ text }} ~ findings.pattern
            offset 0
        ) as found
        group by found.response_id
    ) as words
        on comments.response_id = words.response_id
{%- endmacro %}

{% macro postgres__shares_of_variance(sums) -%}
    nps_engine.shares_of_variance(array[{{ sums | join(', ') }}])
{%- endmacro %}

{% macro postgres__explained_variance(shares) -%}
    ({{ shares }})[1]
{%- endmacro %}

{% macro postgres__share_of_variance(shares, place) -%}
    ({{ shares }})[1 + {{ place }}]
{%- endmacro %}

{% macro postgres__temporary_table(name) -%}
    drop table if exists pg_temp.{{ name }};
    create temp table {{ name }} as
{%- endmacro %}

{% macro postgres__failing_statement(text) -%}
    {# Also where no landing has made nps_engine yet. #}
    do 'begin raise exception ''%'', ''{{ text | replace("'", "''''") }}''; end'
{%- endmacro %}

{# Its classes know letters that are not of ASCII, and no text can hold the character 0. #}
{% macro postgres__engine_pattern(pattern) -%}
    {%- set points = [] -%}
    {%- for point in modules.re.findall('\\\\x\\{([0-9A-Fa-f]+)\\}', pattern) -%}
        {%- do points.append(point) -%}
    {%- endfor -%}
    {%- set own = {'pattern': pattern} -%}
    {%- for point in points | unique -%}
        {%- set code = [point | int(base=16), 1] | max -%}
        {%- do own.update({
            'pattern': own.pattern.replace('\\x{' ~ point ~ '}', '\\U' ~ '%08x' % code)
        }) -%}
    {%- endfor -%}
    {{ return(
        own.pattern
        .replace('[:space:]', '\\t\\n\\v\\f\\r ')
        .replace('[:punct:]', '!-/:-@\\[-`{-~')
    ) }}
{%- endmacro %}

{% macro postgres__matches(text, pattern) -%}
    ({{ text }} ~ '{{ engine_pattern(pattern) }}')
{%- endmacro %}

{% macro postgres__replace_matches(text, pattern, replacement) -%}
    regexp_replace({{ text }}, '{{ engine_pattern(pattern) }}', '{{ replacement }}', 'g')
{%- endmacro %}

{% macro postgres__extracted(text, pattern, group) -%}
    coalesce(
        regexp_substr({{ text }}, '{{ engine_pattern(pattern) }}', 1, 1, '', {{ group }}),
        case when {{ text }} is not null then '' end
    )
{%- endmacro %}

{# A tenth of the time. #}
{% macro postgres__without_blanks_around(text) -%}
    btrim({{ text }}, nps_engine.blanks())
{%- endmacro %}

{% macro postgres__digest(text) -%}
    encode(sha256(convert_to({{ text }}, 'UTF8')), 'hex')
{%- endmacro %}

{% macro postgres__agent_salt() -%}
    coalesce(
        nullif(current_setting('nps.agent_salt', true), ''),
        nps_engine.error('NPS_AGENT_SALT is empty, and agents are shown by pseudonym')
    )
{%- endmacro %}

{% macro postgres__has_agent_salt() -%}
    (coalesce(current_setting('nps.agent_salt', true), '') <> '')
{%- endmacro %}

{% macro postgres__plus_minutes(instant, minutes) -%}
    {{ instant }} + make_interval(mins => {{ minutes }})
{%- endmacro %}

{% macro postgres__iso_weekday(date) -%}
    cast(extract(isodow from {{ date }}) as integer)
{%- endmacro %}

{% macro postgres__period_start(period_type, date) -%}
    cast(date_trunc('{{ period_type }}', cast({{ date }} as timestamp)) as date)
{%- endmacro %}

{% macro postgres__zoned_to_utc(zoned_timestamp) -%}
    timezone('UTC', nps_engine.try_zoned(cast({{ zoned_timestamp }} as text)))
{%- endmacro %}

{% macro postgres__plus_days(date, days) -%}
    {{ date }} + make_interval(days => cast({{ days }} as integer))
{%- endmacro %}

{% macro postgres__plus_months(date, months) -%}
    {{ date }} + make_interval(months => cast({{ months }} as integer))
{%- endmacro %}

{% macro postgres__days_between(earlier, later) -%}
    cast(cast({{ later }} as date) - cast({{ earlier }} as date) as bigint)
{%- endmacro %}

{% macro postgres__known_zones() -%}
    select name as zone from pg_timezone_names
{%- endmacro %}

{% macro postgres__microseconds_between(earlier, later) -%}
    cast(extract(epoch from ({{ later }}) - ({{ earlier }})) * 1000000 as bigint)
{%- endmacro %}

{% macro postgres__plus_microseconds(instant, microseconds) -%}
    {{ instant }} + ({{ microseconds }}) * interval '1 microsecond'
{%- endmacro %}

{% macro postgres__is_typed(column, type) -%}
    pg_typeof({{ column }}) = cast('{{ engine_type(type) }}' as regtype)
{%- endmacro %}

{% macro postgres__finite_number(value, at_least) -%}
    case
        when {{ try_cast(value, 'double') }} >= {{ "'-Infinity'" if at_least is none else at_least }}
            then {{ try_cast(value, 'double') }}
    end
{%- endmacro %}

{% macro postgres__double_type() -%}
    double precision
{%- endmacro %}

{% macro postgres__sum_of_doubles(value, over) -%}
    cast(
        sum(cast(cast({{ value }} as text) as numeric(38, 15)))
        {%- if over is not none %} over ({{ over }}){% endif %} as {{ double_type() }}
    )
{%- endmacro %}

{% macro postgres__engine_type(type) -%}
    {{ return('double precision' if type | lower == 'double' else type) }}
{%- endmacro %}

{% macro postgres__try_cast(value, type) -%}
    {{ return('nps_engine.try_' ~ type ~ '(cast(' ~ value ~ ' as text))') }}
{%- endmacro %}

{% macro postgres__text_of_double(value) -%}
    replace(regexp_replace(cast({{ value }} as text), '^(-?[0-9]+)$', '\1.0'), 'e+', 'e')
{%- endmacro %}

{% macro postgres__computed_once() -%}
    offset 0
{%- endmacro %}

{% macro postgres__marked_words(text) -%}
    nps_engine.marked_words({{ text }})
{%- endmacro %}

{% macro postgres__spaced_words(text) -%}
    nps_engine.spaced_words({{ text }})
{%- endmacro %}
