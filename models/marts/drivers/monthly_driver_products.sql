-- sqlfluff:dialect:postgres
-- (its duckdb dialect does not know grouping sets)
{% set answer = 'response_id, survey_type, period_date, department_id, nps_category' %}
{% set known = [] %}
{% for place in importance_places() %}
    {% do known.append('has_' ~ place) %}
{% endfor %}
{% set measures %}
    {% for name, term in importance_sums().items() -%}
        cast(sum({{ term }}) as bigint) as {{ name }}{{ "," if not loop.last }}
    {% endfor %}
{% endset %}

with

bands as (

    select * from {{ ref('response_bands') }}
    where driver in ('{{ var("nps_importance_drivers") | join("', '") }}')

),

placed as (

    select
        {{ answer }},
        {% for place in importance_places() -%}
            {%- if importance_driver(place) -%}
                max(case when driver = '{{ importance_driver(place) }}' then band_order end)
            {%- else -%}
                cast(null as bigint)
            {%- endif %} as band_{{ place }}{{ "," if not loop.last }}
        {% endfor %}
    from bands
    group by {{ answer }}

),

answers as (

    select
        survey_type,
        department_id,
        {{ period_start('month', 'period_date') }} as month_start,
        case nps_category when 'promoter' then 1 when 'detractor' then -1 else 0 end as contribution,
        {% for place in importance_places() -%}
            band_{{ place }} is not null as has_{{ place }},
            coalesce(band_{{ place }}, 0) as order_{{ place }}{{ "," if not loop.last }}
        {% endfor %}
    from placed
    -- An answer of which nothing is known has nothing to explain it.
    where
        coalesce(
            {% for place in importance_places() -%}
                band_{{ place }}{{ "," if not loop.last }}
            {% endfor %}
        ) is not null

),

{{ counts_by_scope(
    'answers',
    driver_scopes(),
    by=['survey_type', 'month_start'] + known,
    measures=measures,
    shown=importance_sums().keys() | list,
) }}
