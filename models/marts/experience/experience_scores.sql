with

nps_counts as (

    select * from {{ ref('period_response_counts') }}
    where
        second_scope_id is null
        and period_type <> 'day'

),

score_counts as (

    select * from {{ ref('period_score_counts') }}

),

counts as (

    select
        nps_counts.*,
        {% for name in ['csat', 'effort'] -%}
            {{ scale_sum(name, 0) }} as {{ name }}_responses,
            {{ scale_sum(name, 1) }} as {{ name }}_total,
            {{ scale_sum(name, 2) }} as {{ name }}_squares,
        {% endfor -%}
        -- The two best of five; a contact that was little effort (7 is least).
        csat_4 + csat_5 as satisfied,
        effort_5 + effort_6 + effort_7 as at_ease
    from nps_counts
    inner join score_counts
        on
            nps_counts.survey_type = score_counts.survey_type
            and nps_counts.period_type = score_counts.period_type
            and nps_counts.period_start = score_counts.period_start
            and nps_counts.scope_type = score_counts.scope_type
            and nps_counts.scope_id = score_counts.scope_id

),

{{ nps_block_of('counts') }},

with_means as (

    select
        *,
        {% for name in ['csat', 'effort'] -%}
            {{ mean_of(name ~ '_total', name ~ '_responses') }} as {{ name }}_mean,
            {{ mean_standard_error(name ~ '_squares', name ~ '_total', name ~ '_responses') }}
                as {{ name }}_standard_error{{ "," if not loop.last }}
        {% endfor %}
    from with_block

)

select
    {{ period_columns() }},
    scope_type,
    scope_id,
    {{ nps_block() }},
    {% for name, good, share in [
        ('csat', 'satisfied', 'csat_top2'), ('effort', 'at_ease', 'effort_easy'),
    ] -%}
        {%- set scale = answer_scales()[name] -%}
        {{ name }}_responses,
        {{ name }}_mean,
        {{ mean_limit(
            name ~ '_mean', name ~ '_standard_error', -1, scale.at_least
        ) }} as {{ name }}_mean_ci_low,
        {{ mean_limit(
            name ~ '_mean', name ~ '_standard_error', 1, scale.at_most
        ) }} as {{ name }}_mean_ci_high,
        {{ share_pct(good, name ~ '_responses') }} as {{ share }}_pct,
        {{ wilson_limit_pct(good, name ~ '_responses', -1) }} as {{ share }}_ci_low,
        {{ wilson_limit_pct(good, name ~ '_responses', 1) }} as {{ share }}_ci_high,
        {{ name }}_responses >= {{ var('nps_min_responses') }} as {{ name }}_is_reportable
        {{- "," if not loop.last }}
    {% endfor %}
from with_means
