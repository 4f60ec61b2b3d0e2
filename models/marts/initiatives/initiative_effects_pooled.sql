{% set pool = ['initiative_name', 'scope_type', 'survey_type'] %}
{% set reach = normal_quantile_95() ~ ' * did_standard_error' %}

with

tested as (

    select
        *,
        case
            when pooled_initiatives < 2 then 'window not over'
            when least(before_responses, after_responses) < {{ var('nps_min_responses') }}
                then 'too few answers'
            when trends = 0 then 'too little history'
            when trend_p_value < {{ significance_level() }} then 'trends not parallel'
        end as reason
    from {{ ref('initiative_pooled_estimates') }}

),

judged as (

    select
        *,
        case when reason is null then did_p_value end as judged_p_value
    from tested

),

{{ benjamini_hochberg(
    'judged', within=['scope_type', 'survey_type'], key=['initiative_name'], p='judged_p_value',
) }},

directed as (

    select
        *,
        {{ verdict('did', 'did_z_value', 'adjusted_p_value', '(reason is null)') }} as direction
    from judged_adjusted

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
    did as difference_in_differences,
    did_standard_error,
    did - {{ reach }} as did_ci_low,
    did + {{ reach }} as did_ci_high,
    did_p_value,
    adjusted_p_value as did_adjusted_p_value,
    trend_difference,
    trend_p_value,
    {{ helped_or_hurt('direction') }} as verdict,
    {{ why_no_verdict('direction', 'reason') }} as cannot_tell_because
from directed
