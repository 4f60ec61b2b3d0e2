{{ config(materialized='view') }}
-- The row a row is compared with, and the prefix of what comes of it.
{% set others = {'previous': '', 'previous_year': 'year_'} %}

with

scores as (

    select * from {{ ref('trend_scores') }}

),

-- The other period is missing where it has no answers: its columns stay null, never 0.
paired as (

    select
        {% for other, prefix in others.items() -%}
            {{ other }}.period_start as {{ other }}_start,
            {{ other }}.responses as {{ other }}_responses,
            {{ other }}.nps as {{ other }}_nps,
            {{ change_columns('scores', other, prefix) }},
            {{ is_testable('scores', other) }} as is_{{ prefix }}testable,
        {% endfor -%}
        scores.*
    from scores
    {% for other in others -%}
        left join scores as {{ other }}
            on
                {{ same(scope_key() + ['period_type'], 'scores', other) }}
                and scores.{{ other }}_period_start = {{ other }}.period_start
    {% endfor %}

)

select
    scope_type,
    scope_id,
    {{ period_columns() }},
    {% for other, prefix in others.items() -%}
        {{ other }}_start,
        {{ other }}_responses,
        {{ other }}_nps,
        {{ tested_change(prefix) }},
        is_{{ prefix }}testable,
    {% endfor -%}
    {{ nps_block() }}
from paired
