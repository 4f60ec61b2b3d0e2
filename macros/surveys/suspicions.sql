{# What the kinds of suspicion have in common. #}

{# Rows of a CTE once per complete period in which their date lies: adds the CTE `<of>_by_period`
   with period_type, period_start and period_end. Nothing is asked about a period that still runs. #}
{% macro by_complete_period(of, date, period_types) -%}
{{ of }}_by_period as (

    {% for period_type in period_types -%}
        select
            {{ of }}.*,
            '{{ period_type }}' as period_type,
            {{ period_start(period_type, date) }} as period_start,
            {{ period_end(period_type, period_start(period_type, date)) }} as period_end
        from {{ of }}
        cross join {{ ref('as_of') }} as as_of
        where {{ period_end(period_type, period_start(period_type, date)) }} < as_of.as_of_date
        {{- "
        union all
        " if not loop.last }}
    {% endfor %}

)
{%- endmacro %}

{# Whether somebody or something can be asked about it: nobody answers for the unknown member, and
   agents who are all shown as one are none. #}
{% macro can_be_asked(scope_id) -%}
    {{ scope_id }} not in ('unknown', 'withheld')
{%- endmacro %}

{# A number as a question shows it: whole. #}
{% macro in_words(number) -%}
    cast(cast(round({{ number }}) as bigint) as {{ engine_type('varchar') }})
{%- endmacro %}

{# The member and period of a question: `agent A7 in the quarter from 2025-01-01`. #}
{% macro whom_and_when() -%}
    replace(scope_type, '_', ' ') || ' ' || scope_id || ' in the ' || period_type || ' from '
    || cast(period_start as {{ engine_type('varchar') }})
{%- endmacro %}

{# What is left of a kind's comparisons: those that are significant after adjustment for all members
   of a scope in a period, each with its question. Reads the CTE `comparisons`, which has p_value and
   the columns shown; adds CTEs and the last select.

   kind, survey_type: words.
   condition: SQL of which comparisons are odd in the way that is asked about.
   question:  SQL of the question. #}
{% macro suspicions_of(kind, survey_type, condition, question) -%}
{{ benjamini_hochberg(
    'comparisons', ['scope_type', 'period_type', 'period_start'], ['scope_id']
) }}

select
    '{{ kind }}' as kind,
    scope_type,
    scope_id,
    '{{ survey_type }}' as survey_type,
    period_type,
    period_start,
    period_end,
    cases,
    observed,
    expected,
    p_value,
    adjusted_p_value,
    {{ question }} as question
from comparisons_adjusted
where
    adjusted_p_value < {{ significance_level() }}
    and {{ condition }}
{%- endmacro %}
