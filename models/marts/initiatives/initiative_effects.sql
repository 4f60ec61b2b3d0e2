{% set sides = compared_sides() %}
{% set reach = normal_quantile_95() %}
{% set key = ['initiative_id', 'survey_type'] %}

with

windows as (

    select * from {{ ref('initiative_windows') }}

),

verdicts as (

    select * from {{ ref('initiative_verdicts') }}

),

comparisons as (

    select * from {{ ref('initiative_comparisons') }}

),

named_controls as (

    select
        initiative_id,
        count(*) as control_members,
        {{ joined_texts(
            "case when control_rank > 1 then ', ' else '' end || control_id", 'control_rank'
        ) }} as controls
    from {{ ref('initiative_controls') }}
    group by initiative_id

)

select
    windows.initiative_id,
    windows.initiative_name,
    windows.scope_type,
    windows.scope_id,
    verdicts.survey_type,
    windows.started_on,
    windows.ended_on,
    windows.window_days,
    windows.before_start,
    windows.before_end,
    windows.after_start,
    windows.after_end,
    windows.is_window_over,
    {% for side in sides -%}
        {% for count in ['responses', 'promoters', 'passives', 'detractors'] -%}
            coalesce(comparisons.{{ side }}_{{ count }}, 0) as {{ side }}_{{ count }},
        {% endfor -%}
        comparisons.{{ side }}_nps,
    {% endfor -%}
    comparisons.nps_change,
    comparisons.nps_change_standard_error,
    comparisons.adjusted_nps_change - {{ reach }} * comparisons.nps_change_standard_error
        as nps_change_ci_low,
    comparisons.adjusted_nps_change + {{ reach }} * comparisons.nps_change_standard_error
        as nps_change_ci_high,
    comparisons.z_value,
    {{ two_sided_p('comparisons.z_value') }} as p_value,
    mixes.mix_adjusted_change,
    mixes.mix_adjusted_change - {{ reach }} * mixes.mix_adjusted_standard_error
        as mix_adjusted_ci_low,
    mixes.mix_adjusted_change + {{ reach }} * mixes.mix_adjusted_standard_error
        as mix_adjusted_ci_high,
    mixes.mix_effect,
    coalesce(named_controls.control_members, 0) as control_members,
    named_controls.controls,
    comparisons.control_nps_change,
    comparisons.did as difference_in_differences,
    comparisons.did_standard_error,
    comparisons.did_middle - {{ reach }} * comparisons.did_standard_error as did_ci_low,
    comparisons.did_middle + {{ reach }} * comparisons.did_standard_error as did_ci_high,
    comparisons.did_z_value,
    verdicts.did_p_value,
    verdicts.adjusted_p_value as did_adjusted_p_value,
    comparisons.history_windows,
    comparisons.trend_difference,
    comparisons.trend_standard_error,
    comparisons.trend_p_value,
    verdicts.overlapping_initiatives,
    {{ helped_or_hurt('verdicts.direction') }} as verdict,
    {{ why_no_verdict('verdicts.direction', 'verdicts.reason') }} as cannot_tell_because
from verdicts
inner join windows
    on verdicts.initiative_id = windows.initiative_id
left join comparisons
    on {{ same(key, 'verdicts', 'comparisons') }}
left join {{ ref('initiative_mix') }} as mixes
    on {{ same(key, 'verdicts', 'mixes') }}
left join named_controls
    on verdicts.initiative_id = named_controls.initiative_id
