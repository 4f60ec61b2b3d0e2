with

nps_counts as (

    select * from {{ ref('period_response_counts') }}
    where
        second_scope_id is null
        and period_type <> 'day'

),

score_counts as (

    select
        survey_type,
        period_type,
        period_start,
        scope_type,
        scope_id,
        {{ scale_sum('csat', 0) }} as csat_responses,
        {{ scale_sum('csat', 1) }} as csat_total,
        {{ scale_sum('csat', 2) }} as csat_squares,
        {{ scale_sum('effort', 0) }} as effort_responses,
        {{ scale_sum('effort', 1) }} as effort_total,
        {{ scale_sum('effort', 2) }} as effort_squares,
        -- The two best of five; a contact that was little effort (7 is least).
        csat_4 + csat_5 as satisfied,
        effort_5 + effort_6 + effort_7 as at_ease
    from {{ ref('period_score_counts') }}

),

counts as (

    select
        nps_counts.*,
        score_counts.csat_responses,
        score_counts.satisfied,
        {{ mean_of('score_counts.csat_total', 'score_counts.csat_responses') }} as csat_mean,
        {{ mean_standard_error(
            'score_counts.csat_squares', 'score_counts.csat_total', 'score_counts.csat_responses'
        ) }} as csat_error,
        score_counts.effort_responses,
        score_counts.at_ease,
        {{ mean_of('score_counts.effort_total', 'score_counts.effort_responses') }}
            as effort_mean,
        {{ mean_standard_error(
            'score_counts.effort_squares',
            'score_counts.effort_total',
            'score_counts.effort_responses',
        ) }} as effort_error
    from nps_counts
    inner join score_counts
        on
            nps_counts.survey_type = score_counts.survey_type
            and nps_counts.period_type = score_counts.period_type
            and nps_counts.period_start = score_counts.period_start
            and nps_counts.scope_type = score_counts.scope_type
            and nps_counts.scope_id = score_counts.scope_id

),

{{ nps_block_of('counts') }}

select
    {{ period_columns() }},
    scope_type,
    scope_id,
    {{ nps_block() }},
    csat_responses,
    csat_mean,
    {{ mean_limit('csat_mean', 'csat_error', -1, 1) }} as csat_mean_ci_low,
    {{ mean_limit('csat_mean', 'csat_error', 1, 5) }} as csat_mean_ci_high,
    {{ share_pct('satisfied', 'csat_responses') }} as csat_top2_pct,
    {{ wilson_limit('satisfied', 'csat_responses', 'low') }} as csat_top2_ci_low,
    {{ wilson_limit('satisfied', 'csat_responses', 'high') }} as csat_top2_ci_high,
    csat_responses >= {{ var('nps_min_responses') }} as csat_is_reportable,
    effort_responses,
    effort_mean,
    {{ mean_limit('effort_mean', 'effort_error', -1, 1) }} as effort_mean_ci_low,
    {{ mean_limit('effort_mean', 'effort_error', 1, 7) }} as effort_mean_ci_high,
    {{ share_pct('at_ease', 'effort_responses') }} as effort_easy_pct,
    {{ wilson_limit('at_ease', 'effort_responses', 'low') }} as effort_easy_ci_low,
    {{ wilson_limit('at_ease', 'effort_responses', 'high') }} as effort_easy_ci_high,
    effort_responses >= {{ var('nps_min_responses') }} as effort_is_reportable
from with_block
