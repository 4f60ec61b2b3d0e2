{# Spark's own spelling (3.5 and Databricks) of what the other files here name. The session's time zone
   is UTC, so that a timestamp, which is an instant there, reads as what it is here. #}

{# A literal in which a backslash is a backslash. No quote can stand in it; a pattern has another
   name for that. #}
{% macro spark_raw_literal(text) -%}
    {{ return("r'" ~ text.replace("''", "'").replace("'", '\\x27') ~ "'") }}
{%- endmacro %}

{# Java's dialect: a bracket in a class opens another, `$` is also before a last end of line, and the
   dot leaves out more than \n. #}
{% macro spark__engine_pattern(pattern) -%}
    {%- set own = [] -%}
    {%- set at = namespace(is_escaped=false, is_class=false, is_name=false) -%}
    {%- set text = pattern.replace('[:punct:]', '\\p{Punct}').replace('[:space:]', '\\s') -%}
    {%- for sign in text -%}
        {%- if at.is_escaped -%}
            {%- set at.is_escaped = false -%}
            {%- do own.append(sign) -%}
        {%- elif sign == '\\' -%}
            {%- set at.is_escaped = true -%}
            {%- do own.append(sign) -%}
        {%- elif at.is_class -%}
            {%- do own.append('\\' ~ sign if sign in ['[', '&'] else sign) -%}
            {%- if sign == ']' -%}
                {%- set at.is_class = false -%}
            {%- endif -%}
        {%- else -%}
            {%- set at.is_class = sign == '[' -%}
            {%- do own.append('\\z' if sign == '$' else '[^\\n]' if sign == '.' else sign) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(own | join) }}
{%- endmacro %}

{# Two quotes side by side end one text and begin another there. #}
{% macro spark__text_literal(text) -%}
    {{ return("'" ~ text.replace('\\', '\\\\').replace("'", "\\'") ~ "'") }}
{%- endmacro %}

{% macro spark__matches(text, pattern) -%}
    ({{ text }} rlike {{ spark_raw_literal(engine_pattern(pattern)) }})
{%- endmacro %}

{% macro spark__replace_matches(text, pattern, replacement) -%}
    regexp_replace(
        {{ text }}, {{ spark_raw_literal(engine_pattern(pattern)) }},
        {{ spark_raw_literal(replacement) }}
    )
{%- endmacro %}

{% macro spark__matched_group(number) -%}
    ${{ number }}
{%- endmacro %}

{% macro spark__extracted(text, pattern, group) -%}
    regexp_extract({{ text }}, {{ spark_raw_literal(engine_pattern(pattern)) }}, {{ group }})
{%- endmacro %}

{% macro spark__joined_texts(text, order_key) -%}
    case
        when count({{ text }}) > 0
            then array_join(
                transform(
                    array_sort(
                        collect_list(named_struct('place', struct({{ order_key }}), 'part', {{ text }}))
                    ),
                    one -> one.part
                ), ''
            )
    end
{%- endmacro %}

{% macro spark__digest(text) -%}
    sha2({{ text }}, 256)
{%- endmacro %}

{# No value of a session is hidden from what is logged, so there is none. #}
{% macro spark__agent_salt() -%}
    raise_error('Agents can not be shown by pseudonym on Spark')
{%- endmacro %}

{% macro spark__has_agent_salt() -%}
    false
{%- endmacro %}

{% macro spark__marked_words(text) -%}
    regexp_replace(translate({{ text }}, '␞␟', '  '), r'([\p{L}\p{N}]+)', '␞$1␟')
{%- endmacro %}

{% macro spark__spaced_words(text) -%}
    trim(regexp_replace({{ text }}, r'[^\p{L}\p{N}]+', ' '))
{%- endmacro %}

{# The engine takes the earlier of a doubled hour; the rule is the later. #}
{% macro spark__zone_time_to_utc(zone, local_timestamp) -%}
    {%- set later -%}
        to_utc_timestamp({{ local_timestamp }} + interval '1 hour', {{ zone }}) - interval '1 hour'
    {%- endset -%}
    case
        when from_utc_timestamp({{ later }}, {{ zone }}) = {{ local_timestamp }} then {{ later }}
        else to_utc_timestamp({{ local_timestamp }}, {{ zone }})
    end
{%- endmacro %}

{% macro spark__utc_to_zone_time(zone, instant) -%}
    from_utc_timestamp({{ instant }}, {{ zone }})
{%- endmacro %}

{% macro spark__plus_minutes(instant, minutes) -%}
    timestampadd(minute, {{ minutes }}, {{ instant }})
{%- endmacro %}

{% macro spark__iso_weekday(date) -%}
    cast(weekday({{ date }}) + 1 as integer)
{%- endmacro %}

{% macro spark__zoned_to_utc(zoned_timestamp) -%}
    {{ try_cast(zoned_timestamp, 'timestamp') }}
{%- endmacro %}

{% macro spark__plus_days(date, days) -%}
    {{ date }} + make_interval(0, 0, 0, cast({{ days }} as integer))
{%- endmacro %}

{% macro spark__plus_months(date, months) -%}
    {{ date }} + make_interval(0, cast({{ months }} as integer))
{%- endmacro %}

{% macro spark__days_between(earlier, later) -%}
    cast(datediff({{ later }}, {{ earlier }}) as bigint)
{%- endmacro %}

{% macro spark__known_zones() -%}
    select zone from raw._zones
{%- endmacro %}

{% macro spark__microseconds_between(earlier, later) -%}
    timestampdiff(microsecond, {{ earlier }}, {{ later }})
{%- endmacro %}

{% macro spark__plus_microseconds(instant, microseconds) -%}
    timestamp_micros(unix_micros({{ instant }}) + cast({{ microseconds }} as bigint))
{%- endmacro %}

{# A timestamp without a zone keeps that type where a file has it. #}
{% macro spark__is_typed(column, type) -%}
    {%- set own = {
        'varchar': 'string', 'timestamp': 'timestamp_ntz', 'timestamp with time zone': 'timestamp',
    } -%}
    typeof({{ column }}) = '{{ own.get(type, type) }}'
{%- endmacro %}

{# NaN is more than infinity there. #}
{% macro spark__finite_number(value, at_least) -%}
    case
        when abs({{ try_cast(value, 'double') }}) < cast('Infinity' as double)
            {%- if at_least is not none %}
            and {{ try_cast(value, 'double') }} >= {{ at_least }}
            {%- endif %}
            then {{ try_cast(value, 'double') }}
    end
{%- endmacro %}

{# The engine computes a CTE anew wherever it is named: what reads a marked one reads a table. See
   materialization/spark.sql. #}
{% macro spark__materialized() -%}
    /* materialized */
{%- endmacro %}

{% macro spark__engine_type(type) -%}
    {{ return('string' if type | lower == 'varchar' else type) }}
{%- endmacro %}

{% macro spark__text_of_double(value) -%}
    cast({{ value }} as string)
{%- endmacro %}

{# A name for a value within an expression: SQL has no other. #}
{% macro spark_let(name, value, expression) -%}
    transform(array({{ value }}), {{ name }} -> {{ expression }})[0]
{%- endmacro %}

{# As `importance.shares.lmg` computes it, in arrays. `remaining` has a matrix for each set of the
   variables seen so far, row by row, without their rows and columns: what the set leaves
   unexplained. The next variable, in the first row, comes into each set or does not. #}
{% macro spark__shares_of_variance(sums) -%}
    {%- set at = namespace(variables=1) -%}
    {%- for k in range(1, 13) if 3 + 2 * k + k * (k + 1) // 2 == sums | length -%}
        {%- set at.variables = k -%}
    {%- endfor -%}
    {%- set k = at.variables -%}
    {%- set totals = (range(3, 3 + k) | list) + [1] -%}
    {%- set products = [] -%}
    {%- for row in range(k + 1) -%}
        {%- for column in range(k + 1) -%}
            {%- set p, q = ([row, column] | min), ([row, column] | max) -%}
            {%- do products.append(
                2 if p == k else 3 + k + p if q == k
                else 3 + 2 * k + p * k - p * (p - 1) // 2 + q - p
            ) -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- set orders = [] -%}
    {%- for members in range(k) -%}
        {%- set chance = namespace(value=1 / k) -%}
        {%- for taken in range(members) -%}
            {%- set chance.value = chance.value * (taken + 1) / (k - 1 - taken) -%}
        {%- endfor -%}
        {%- do orders.append(chance.value ~ 'D') -%}
    {%- endfor -%}
    {%- set row, column = 'i div ' ~ (k + 1), 'i % ' ~ (k + 1) -%}
    {%- set cells = 'sequence(0, ' ~ ((k + 1) * (k + 1) - 1) ~ ')' -%}
    {%- set centred -%}
        transform({{ cells }}, i ->
            sums[products[i]] - sums[totals[{{ row }}]] * sums[totals[{{ column }}]] / sums[0])
    {%- endset -%}
    {# 0 where a variable, or y, does not vary. #}
    {%- set deviations -%}
        transform(sequence(0, {{ k }}), p -> if(
            centred[p * {{ k + 2 }}] > 1e-9 * sums[products[p * {{ k + 2 }}]],
            sqrt(centred[p * {{ k + 2 }}]), 0D
        ))
    {%- endset -%}
    {%- set correlations -%}
        transform({{ cells }}, i -> if(
            deviations[{{ row }}] > 0 and deviations[{{ column }}] > 0,
            centred[i] / (deviations[{{ row }}] * deviations[{{ column }}]), 0D
        ))
    {%- endset -%}
    {# v variables are through; in the rest, of `others` rows less one, is what comes after. #}
    {%- set others = '(' ~ k ~ ' - v)' -%}
    {%- set cell -%}
        m[(1 + i div {{ others }}) * ({{ others }} + 1) + 1 + i % {{ others }}]
    {%- endset -%}
    {%- set explained -%}
        if(m[0] > 1e-9,
            m[(1 + i div {{ others }}) * ({{ others }} + 1)] * m[1 + i % {{ others }}] / m[0], 0D)
    {%- endset -%}
    {%- set cells_left = 'sequence(0, ' ~ others ~ ' * ' ~ others ~ ' - 1)' -%}
    {%- set remaining -%}
        aggregate(
            sequence(0, {{ k - 1 }}), array({{ correlations }}),
            (remaining, v) -> concat(
                transform(remaining, m -> transform({{ cells_left }}, i -> {{ cell }})),
                transform(remaining, m ->
                    transform({{ cells_left }}, i -> {{ cell }} - {{ explained }}))
            )
        )
    {%- endset -%}
    {%- set explained_by_set -%}
        transform({{ remaining }}, m -> greatest(0D, least(1D, 1 - m[0])))
    {%- endset -%}
    {%- set shares -%}
        concat(
            array(explained[{{ 2 ** k - 1 }}]),
            transform(sequence(0, {{ k - 1 }}), v -> aggregate(
                filter(sequence(0, {{ 2 ** k - 1 }}), s -> shiftright(s, v) % 2 = 0), 0D,
                (share, s) -> share + array({{ orders | join(', ') }})[bit_count(s)]
                    * (explained[s + shiftleft(1, v)] - explained[s])
            ))
        )
    {%- endset -%}
    {%- set shares_if_y_varies -%}
        if(deviations[{{ k }}] > 0, {{ spark_let('explained', explained_by_set, shares) }},
            array_repeat(0D, {{ k + 1 }}))
    {%- endset -%}
    {%- set of_centred = spark_let('deviations', deviations, shares_if_y_varies) -%}
    {%- set of_places = spark_let('centred', centred, of_centred) -%}
    {%- set of_totals = spark_let('totals', 'array(' ~ totals | join(', ') ~ ')', of_places) -%}
    {%- set of_sums -%}
        if(sums[0] > 0, {{ spark_let(
            'products', 'array(' ~ products | join(', ') ~ ')', of_totals
        ) }}, array_repeat(0D, {{ k + 1 }}))
    {%- endset -%}
    {{ spark_let('sums', 'array(' ~ sums | join(', ') ~ ')', of_sums) }}
{%- endmacro %}

{% macro spark__explained_variance(shares) -%}
    {{ shares }}[0]
{%- endmacro %}

{% macro spark__share_of_variance(shares, place) -%}
    {{ shares }}[{{ place }}]
{%- endmacro %}

{% macro spark__failing_statement(text) -%}
    select raise_error({{ text_literal(text) }})
{%- endmacro %}
