{# Cases of detractors. #}

{# Business hours between two readings of a calendar's clock, in microseconds of open time. #}
{% macro business_hours(earlier, later) -%}
    cast({{ later }} - {{ earlier }} as {{ double_type() }}) / 3600000000
{%- endmacro %}

{# The cases of a CTE once per scope and period, a week or longer, of the answer: adds the CTE
   `<of>_by_period` with scope_type, scope_id, period_type, period_start, period_end.

   of: a CTE with department_id and period_date. #}
{% macro cases_by_period(of) -%}
{{ of }}_by_scope as (

    select
        {{ of }}.*,
        'company' as scope_type,
        'all' as scope_id
    from {{ of }}
    union all
    select
        {{ of }}.*,
        'department' as scope_type,
        department_id as scope_id
    from {{ of }}

),

{{ of }}_by_period as (

    {% for period_type in ['week', 'month', 'quarter', 'year'] -%}
        {%- set first_date = period_start(period_type, 'period_date') -%}
        select
            {{ of }}_by_scope.*,
            '{{ period_type }}' as period_type,
            {{ first_date }} as period_start,
            {{ period_end(period_type, first_date) }} as period_end
        from {{ of }}_by_scope
        union all
    {% endfor -%}
    select
        {{ of }}_by_scope.*,
        'all' as period_type,
        as_of.first_response_date as period_start,
        as_of.last_response_date as period_end
    from {{ of }}_by_scope
    cross join {{ ref('as_of') }} as as_of

)
{%- endmacro %}

{# What is counted of cases: the name, and what makes a case count. The ages of those that are open
   are calendar days. #}
{% macro case_counts() %}
    {% set counts = {
        'followed_up': 'follow_ups > 0',
        'contacted': 'first_contacted_at is not null',
        'closed': 'closed_at is not null',
        'within_sla': 'is_within_sla',
        'past_sla': 'not is_within_sla',
        'overdue': 'is_overdue',
    } %}
    {% for outcome in ['fixed', 'explained', 'unreachable'] %}
        {% do counts.update({outcome: "outcome = '" ~ outcome ~ "'"}) %}
    {% endfor %}
    {% set bands = {
        'open_to_7_days': [none, 7], 'open_8_to_30_days': [7, 30],
        'open_31_to_90_days': [30, 90], 'open_over_90_days': [90, none],
    } %}
    {% for band, days in bands.items() %}
        {% set older = ' and ' ~ plus_days('opened_at', days[0]) ~ ' < as_of' if days[0] else '' %}
        {% set newer = ' and ' ~ plus_days('opened_at', days[1]) ~ ' >= as_of' if days[1] else '' %}
        {% do counts.update({band: 'closed_at is null' ~ older ~ newer}) %}
    {% endfor %}
    {% do return(counts) %}
{% endmacro %}

{# The same as columns of an aggregate. #}
{% macro counted_cases() -%}
    {%- for name, counted in case_counts().items() -%}
        cast(sum(case when {{ counted }} then 1 else 0 end) as bigint) as {{ name }}
        {{- "," if not loop.last }}
    {% endfor -%}
{%- endmacro %}

{# By what customers with and without a follow-up are made comparable, the finest level first. #}
{% macro recovery_levels() %}
    {% do return([
        ['score', 'contact_reason', 'department_id'],
        ['score', 'contact_reason'],
        ['score'],
        [],
    ]) %}
{% endmacro %}

{# At each of these levels, from cells of customers: how many without a follow-up are alike. #}
{% macro controls_by_level() -%}
    {%- for keys in recovery_levels() -%}
        sum(case when follow_up = 'none' then responses else 0 end) over (
            {{- 'partition by ' ~ keys | join(', ') if keys -}}
        ) as controls_{{ loop.index }}
        {{- "," if not loop.last }}
    {% endfor -%}
{%- endmacro %}

{# How many of a group of cells are compared at each level, as columns of an aggregate. #}
{% macro responses_by_level() -%}
    {%- for keys in recovery_levels() -%}
        cast(sum(case when level_used = {{ loop.index }} then responses else 0 end) as bigint)
            as responses_at_level_{{ loop.index }}
        {{- "," if not loop.last }}
    {% endfor -%}
{%- endmacro %}
