-- sqlfluff:dialect:postgres
-- (its duckdb dialect does not know grouping sets)
{% set answer = 'response_id, survey_type, period_date, department_id, nps_contribution' %}
{% set known = [] %}
{% for place in importance_places() %}
    {% do known.append('has_' ~ place) %}
{% endfor %}

with

bands as (

    select * from {{ ref('response_bands') }}
    where
        driver in (
            '{{ var("nps_importance_drivers") | join("',
            '") }}'
        )

),

placed as (

    select
        {% for place in importance_places() -%}
            max(case when driver = '{{ importance_driver(place) }}' then band_order end)
                as band_{{ place }},
        {% endfor -%}
        {{ answer }}
    from bands
    group by {{ answer }}

),

answers as (

    select
        survey_type,
        department_id,
        {{ period_start('month', 'period_date') }} as month_start,
        {% for place in importance_places() -%}
            band_{{ place }} is not null as has_{{ place }},
            coalesce(band_{{ place }}, 0) as order_{{ place }},
        {% endfor -%}
        nps_contribution as contribution
    from placed
    -- An answer of which nothing is known has nothing to explain it.
    where
        coalesce(
            band_{{ importance_places() | join(',
            band_') }}
        ) is not null

),

{{ counts_by_scope(
    'answers',
    driver_scopes(),
    by=['survey_type', 'month_start'] + known,
    measures=importance_measures(),
    shown=importance_sums().keys() | list,
) }}
