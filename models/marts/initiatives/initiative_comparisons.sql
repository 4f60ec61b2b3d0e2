{% set sides = compared_sides() %}
{% set least_responses = each_side('responses') | join(', ') %}
{% set errors = each_side('nps_standard_error') %}
{% set key = ['initiative_id', 'survey_type'] %}

with

counts as (

    select * from {{ ref('initiative_counts') }}

),

trends as (

    select * from {{ ref('initiative_trends') }}

),

-- Before is window -1, after window 0.
side_by_side as (

    select
        {{ key | join(',
        ') }},
        {{ counts_where('not is_control and window_number = -1', 'before') }},
        {{ counts_where('not is_control and window_number = 0', 'after') }},
        {{ counts_where('is_control and window_number = -1', 'control_before') }},
        {{ counts_where('is_control and window_number = 0', 'control_after') }}
    from counts
    group by {{ key | join(', ') }}

),

scored as (

    select
        *,
        {{ scores_of(sides) }}
    from side_by_side

),

-- Of no answers the adjusted counts still make a score: a comparison needs answers on every side.
answered as (

    select
        *,
        least(before_responses, after_responses) > 0 as is_change,
        least({{ least_responses }}) > 0 as is_did
    from scored

),

compared as (

    select
        *,
        after_nps - before_nps as nps_change,
        case when is_change then after_nps_adjusted - before_nps_adjusted end
            as adjusted_nps_change,
        case
            when is_change then {{ difference_standard_error(*errors[:2]) }}
        end as nps_change_standard_error,
        control_after_nps - control_before_nps as control_nps_change,
        {{ difference_in_differences(*each_side('nps')) }} as did,
        case
            when is_did then {{ difference_in_differences(*each_side('nps_adjusted')) }}
        end as did_middle,
        case when is_did then {{ did_standard_error(*errors) }} end as did_standard_error
    from answered

)

select
    {{ prefixed(key, 'compared') }},
    {% for side in sides -%}
        {% for figure in ['responses', 'promoters', 'passives', 'detractors', 'nps'] -%}
            compared.{{ side }}_{{ figure }},
        {% endfor -%}
    {% endfor -%}
    compared.nps_change,
    compared.adjusted_nps_change,
    compared.nps_change_standard_error,
    compared.adjusted_nps_change / compared.nps_change_standard_error as z_value,
    compared.control_nps_change,
    compared.did,
    compared.did_middle,
    compared.did_standard_error,
    compared.did_middle / compared.did_standard_error as did_z_value,
    trends.windows as history_windows,
    trends.slope as trend_difference,
    trends.slope_error as trend_standard_error,
    trends.slope_p_value as trend_p_value
from compared
left join trends
    on {{ same(key, 'compared', 'trends') }}
