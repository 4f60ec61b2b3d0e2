{% set places = importance_places() %}
{% set set_of_answers = 'scope_type, scope_id, survey_type, period_type, period_start' %}

with

products as (

    select * from {{ ref('period_driver_products') }}

),

-- A driver that is known of less than half of the answers would cost the other half.
drivers_known as (

    select
        *,
        {% for place in places -%}
            2 * sum(case when has_{{ place }} then answers else 0 end) over (
                partition by {{ set_of_answers }}
            ) >= sum(answers) over (partition by {{ set_of_answers }}) as uses_{{ place }},
        {% endfor -%}
        cast(sum(answers) over (partition by {{ set_of_answers }}) as bigint) as measured_responses
    from products

),

-- Of the answers that have every driver used; the sums of a driver that is not are 0.
complete as (

    select
        {{ set_of_answers }},
        {% for place in places -%}
            uses_{{ place }},
        {% endfor -%}
        {{ sums_of_used_drivers() }},
        measured_responses
    from drivers_known
    where {{ has_every_used_driver() }}
    group by
        {{ set_of_answers }},
        {% for place in places -%}
            uses_{{ place }},
        {% endfor -%}
        measured_responses

),

shared as (

    select
        *,
        {{ shares_of_variance(importance_sums().keys() | list) }} as explained
    from complete
    where answers >= {{ var('nps_min_responses') }}

),

by_driver as (

    {% for place in places if importance_driver(place) -%}
        select
            {{ set_of_answers }},
            '{{ importance_driver(place) }}' as driver,
            measured_responses,
            cast(answers as bigint) as importance_responses,
            {{ explained_variance('explained') }} as r_squared,
            {{ share_of_variance('explained', place) }} as lmg
        from shared
        where uses_{{ place }}
        {{- "
        union all
        " if not loop.last }}
    {% endfor %}

)

select
    *,
    100 * lmg / nullif(r_squared, 0) as importance_pct,
    case
        when r_squared > 0
            then row_number() over (
                partition by {{ set_of_answers }}
                -- What differs by rounding alone is a tie.
                order by cast(lmg as decimal(10, 9)) desc nulls last, driver asc
            )
    end as importance_rank
from by_driver
