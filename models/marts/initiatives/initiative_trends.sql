{% set each = ['detractors', 'passives', 'promoters'] %}

with

scored as (

    -- Only windows with the minimum of answers say where a side stood.
    select
        *,
        {{ nps_adjusted(*each) }} as nps_adjusted,
        {{ nps_standard_error(*each) }} as nps_standard_error
    from {{ ref('initiative_counts') }}
    where
        window_number < 0
        and responses >= {{ var('nps_min_responses') }}

),

treated as (

    select * from scored
    where not is_control

),

controls as (

    select * from scored
    where is_control

),

differences as (

    select
        treated.initiative_id,
        treated.survey_type,
        treated.window_number,
        treated.nps_adjusted - controls.nps_adjusted as difference,
        {{ difference_standard_error(
            'treated.nps_standard_error', 'controls.nps_standard_error'
        ) }} as difference_error
    from treated
    inner join controls
        on {{ same(['initiative_id', 'survey_type', 'window_number'], 'treated', 'controls') }}

),

{{ slope_of_differences('differences', key=['initiative_id', 'survey_type']) }}

select
    initiative_id,
    survey_type,
    windows,
    slope,
    slope_error,
    {{ two_sided_p('slope_z') }} as slope_p_value
from differences_sloped
