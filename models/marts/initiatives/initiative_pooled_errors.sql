{% set pool = ['initiative_name', 'scope_type', 'survey_type'] %}
{% set each = ['detractors', 'passives', 'promoters'] %}

with

weights as (

    select * from {{ ref('initiative_pooled_weights') }}

),

-- What one answer adds to the pooled difference, by side and window.
parts as (

    select
        weights.*,
        sides.window_key,
        sides.scope_id,
        sides.is_control,
        weights.pool_weight * case when sides.is_control then -1 else 1 end as signed_weight
    from weights
    inner join {{ ref('initiative_sides') }} as sides
        on weights.initiative_id = sides.initiative_id

),

of_days as (

    select
        {{ prefixed(pool + ['scope_id', 'signed_weight'], 'parts') }},
        window_days.date_day,
        case
            when window_days.window_number = 0 and parts.is_control
                then parts.control_after_responses
            when window_days.window_number = 0 then parts.after_responses
            when parts.is_control then -parts.control_before_responses
            else -parts.before_responses
        end as side_responses
    from parts
    inner join {{ ref('initiative_days') }} as window_days
        on
            parts.window_key = window_days.window_key
            and window_days.window_number >= -1

),

-- An answer that serves several initiatives counts once, with what it adds to all of them together.
coefficients as (

    select
        {{ (pool + ['scope_id', 'date_day']) | join(',
        ') }},
        {{ sum_of_doubles('signed_weight / side_responses') }} as coefficient
    from of_days
    group by {{ (pool + ['scope_id', 'date_day']) | join(', ') }}

),

counted as (

    select
        {{ prefixed(pool, 'coefficients') }},
        coefficients.coefficient,
        scope_days.responses,
        scope_days.promoters,
        scope_days.passives,
        scope_days.detractors
    from coefficients
    inner join {{ ref('initiative_scope_days') }} as scope_days
        on
            coefficients.scope_type = scope_days.scope_type
            and coefficients.scope_id = scope_days.scope_id
            and coefficients.date_day = scope_days.period_date
    where coefficients.survey_type in ('all', scope_days.survey_type)

),

summed as (

    select
        {{ pool | join(',
        ') }},
        {{ summed_counts() }},
        {{ sum_of_doubles('100 * coefficient * (promoters - detractors)') }} as did,
        -- In millionths, so that the decimals hold small ones.
        {{ sum_of_doubles('1000000 * coefficient * coefficient * responses') }} as squared_weights
    from counted
    group by {{ pool | join(', ') }}

)

select
    {{ pool | join(',
    ') }},
    responses as answers,
    did,
    100 * sqrt({{ nps_variance(*adjusted_counts(*each)) }} * squared_weights / 1000000)
        as did_standard_error
from summed
