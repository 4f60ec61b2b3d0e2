{% set group = 'scope_type, scope_id, period_type, period_start' %}
{% set margins = weighting_margins() %}

with

categories as (

    select
        *,
        sum(responses) over (partition by {{ group }}) as group_responses,
        {% for margin in margins -%}
            sum(contacts) over (partition by {{ group }}, {{ margin }}) as {{ margin }}_contacts,
            sum(responses) over (partition by {{ group }}, {{ margin }}) as {{ margin }}_responses,
            -- A number for each category of each group, to divide by.
            dense_rank() over (order by {{ group }}, {{ margin }}) as {{ margin }}_number
            {{- "," if not loop.last }}
        {% endfor %}
    from {{ ref('weighting_cells') }}

),

-- A category without answers can't be weighted up: the others of its margin share its contacts.
covered as (

    select
        *,
        {% for margin in margins -%}
            sum(case when {{ margin }}_responses > 0 then contacts else 0 end) over (
                partition by {{ group }}
            ) as {{ margin }}_covered{{ "," if not loop.last }}
        {% endfor %}
    from categories

),

targeted as (

    select
        *,
        -- In answers, so that on average an answer weighs 1.
        {% for margin in margins -%}
            cast({{ margin }}_contacts as {{ double_type() }})
            * group_responses / {{ margin }}_covered as {{ margin }}_target
            {{- "," if not loop.last }}
        {% endfor %}
    from covered
    where responses > 0

),

{{ raking_passes('targeted', group.split(', ') + margins, margins) }},

deviations as (

    select
        *,
        {% for margin in margins -%}
            abs(
                {{ sum_of_doubles(
                    'responses * weight', over='partition by ' ~ margin ~ '_number'
                ) }} - {{ margin }}_target
            ) as {{ margin }}_deviation{{ "," if not loop.last }}
        {% endfor %}
    from targeted_raked

)

select
    {{ group }},
    {{ margins | join(',\n    ') }},
    responses,
    weight,
    100 * greatest(
        {{ margins | join('_deviation, ') }}_deviation
    ) / group_responses as margin_error_pct
from deviations
