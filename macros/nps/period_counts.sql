{# Additive counts, from rows to days and from days to longer periods. #}

{# Rows counted by scope and date, in one reading for all scopes: the last select of a model.

   rows:     a CTE whose key columns are never null and are texts.
   scopes:   scope to its one or two keys, as in score_scopes.
   by:       further columns of the grain, the date among them.
   measures: SQL that counts a group, each with its name.
   shown:    the names of these counts. #}
{% macro counts_by_scope(rows, scopes, by, measures, shown) -%}
{%- set keys_of_rows = scopes.values() | sum(start=[]) | unique | list -%}
-- A key is never null, so null says: not grouped by.
grouped as (

    select
        {% for key in keys_of_rows + by -%}
            {{ key }},
        {% endfor -%}
        {{ measures }}
    from {{ rows }}
    group by grouping sets (
        {% for keys in scopes.values() -%}
            ({{ (by + keys) | join(', ') }}){{ "," if not loop.last }}
        {% endfor %}
    )

),

named as (

    select
        case
            {% for keys_wanted in [2, 1] -%}
                {% for scope, keys in scopes.items() if keys | length == keys_wanted -%}
                    when {{ keys | join(' is not null and ') }} is not null then '{{ scope }}'
                {% endfor -%}
            {% endfor -%}
            else 'company'
        end as scope_type,
        grouped.*
    from grouped

)

select
    scope_type,
    case scope_type
        {% for scope, keys in scopes.items() if keys -%}
            when '{{ scope }}' then {{ keys[0] }}
        {% endfor -%}
        else 'all'
    end as scope_id,
    {% if scopes.values() | map('length') | max == 2 -%}
        case scope_type
            {% for scope, keys in scopes.items() if keys | length == 2 -%}
                when '{{ scope }}' then {{ keys[1] }}
            {% endfor %}
        end as second_scope_id,
    {% endif -%}
    {{ by | join(',
    ') }},
    {{ shown | join(',
    ') }}
from named
{%- endmacro %}

{# Scopes of one key or none: those of which a member has a name of its own. #}
{% macro single_scopes() %}
    {% set found = {} %}
    {% for scope, keys in score_scopes().items() if keys | length < 2 %}
        {% do found.update({scope: keys}) %}
    {% endfor %}
    {% do return(found) %}
{% endmacro %}

{# A whole model: daily counts added up into every longer period, and both survey types into `all`.
   Longer periods are added up from shorter ones: each names the one it is made of.

   daily:       the model of daily (or monthly) counts.
   date_column: its date.
   keys:        the columns of its grain besides the date.
   counts:      its whole numbers.
   sums:        its doubles.
   with_days:   whether the days are rows of the model, too.
   shortest:    the period its date stands for: `day`, or `month` where there is nothing shorter. #}
{% macro period_counts(
    daily, date_column, keys, counts, sums=[], with_days=true, shortest='day'
) -%}
{%- set made_of = {'week': 'day', 'month': 'day', 'quarter': 'month', 'year': 'quarter'} -%}
{%- if shortest == 'month' -%}
    {%- set made_of = {'quarter': 'month', 'year': 'quarter'} -%}
{%- endif -%}
{%- set shown = ([shortest] if with_days else []) + (made_of | list) -%}
{%- set others = keys | reject('equalto', 'survey_type') | list -%}
{%- set group_keys = keys | join(', ') -%}
with

as_of as (

    select * from {{ ref('as_of') }}
    -- Without answers there is no first one, and no period that begins with it.
    where first_response_date is not null

),

{{ shortest }}_counts as (

    {% for survey_type in (['survey_type', "'all'"] if 'survey_type' in keys else [none]) -%}
        select
            {{ others | join(', ') }},
            {% if survey_type -%}
                {{ survey_type }} as survey_type,
            {% endif -%}
            {{ date_column }} as period_start,
            {{ added_up(counts, sums) }}
        from {{ ref(daily) }}
        group by
            {{ others | join(', ') }},
            {#- Standard SQL groups by no constant. -#}
            {% if survey_type == 'survey_type' -%}
                {{ survey_type }},
            {% endif -%}
            {{ date_column }}
        {{- "
        union all
        " if not loop.last }}
    {% endfor %}

),

{% for period_type, shorter in made_of.items() -%}
    {{ period_type }}_counts as (

        select
            {{ group_keys }},
            {{ period_start(period_type, 'period_start') }} as period_start,
            {{ added_up(counts, sums) }}
        from {{ shorter }}_counts
        group by {{ group_keys }}, {{ period_start(period_type, 'period_start') }}

    ),

{% endfor -%}
all_counts as (

    select
        {{ group_keys }},
        {{ added_up(counts, sums) }}
    from year_counts
    group by {{ group_keys }}

),

periods as (

    {% for period_type in shown -%}
        select
            '{{ period_type }}' as period_type,
            period_start,
            {{ period_end(period_type, 'period_start') }} as period_end,
            {{ (keys + counts + sums) | join(', ') }}
        from {{ period_type }}_counts
        union all
    {% endfor -%}
    select
        'all' as period_type,
        as_of.first_response_date as period_start,
        as_of.last_response_date as period_end,
        {% for column in keys + counts + sums -%}
            all_counts.{{ column }}{{ "," if not loop.last }}
        {% endfor %}
    from all_counts
    cross join as_of

)

select
    {% for key in keys -%}
        periods.{{ key }},
    {% endfor -%}
    periods.period_type,
    periods.period_start,
    periods.period_end,
    periods.period_end < as_of.as_of_date as is_complete,
    {% for column in counts + sums -%}
        periods.{{ column }}{{ "," if not loop.last }}
    {% endfor %}
from periods
cross join {{ ref('as_of') }} as as_of
{%- endmacro %}

{# Counts and sums of smaller groups, added up. #}
{% macro added_up(counts, sums=[]) -%}
    {%- for count in counts -%}
        cast(sum({{ count }}) as bigint) as {{ count }}{{ ",
        " if not loop.last or sums }}
    {%- endfor -%}
    {%- for total in sums -%}
        {{ sum_of_doubles(total) }} as {{ total }}{{ ",
        " if not loop.last }}
    {%- endfor -%}
{%- endmacro %}
