{% set pool = ['initiative_name', 'scope_type', 'survey_type'] %}

with

weights as (

    select * from {{ ref('initiative_pooled_weights') }}

),

summed as (

    select
        {{ pool | join(',
        ') }},
        max(initiatives) as initiatives,
        count(*) as pooled_initiatives,
        min(started_on) as first_started_on,
        max(started_on) as last_started_on,
        cast(sum(before_responses) as bigint) as before_responses,
        cast(sum(after_responses) as bigint) as after_responses,
        count(trend_difference) as trends,
        {{ sum_of_doubles('trend_difference / power(trend_standard_error, 2)') }} as trend_moment,
        {{ sum_of_doubles('1 / power(trend_standard_error, 2)') }} as trend_information
    from weights
    group by {{ pool | join(', ') }}

),

estimated as (

    select
        summed.*,
        errors.did,
        errors.did_standard_error,
        errors.did / errors.did_standard_error as did_z_value,
        summed.trend_moment / summed.trend_information as trend_difference,
        summed.trend_moment / sqrt(summed.trend_information) as trend_z
    from summed
    inner join {{ ref('initiative_pooled_errors') }} as errors
        on {{ same(pool, 'summed', 'errors') }}

)

select
    {{ pool | join(',
    ') }},
    initiatives,
    pooled_initiatives,
    first_started_on,
    last_started_on,
    before_responses,
    after_responses,
    trends,
    trend_difference,
    {{ two_sided_p('trend_z') }} as trend_p_value,
    did,
    did_standard_error,
    did_z_value,
    {{ two_sided_p('did_z_value') }} as did_p_value
from estimated
