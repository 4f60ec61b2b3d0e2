{{ config(materialized='view') }}

with

scores as (

    select * from {{ ref('trend_scores') }}

),

windows as (

    select * from {{ ref('baseline_windows') }}

),

baselines as (

    select * from {{ ref('baseline_scores') }}

),

placed as (

    select
        scores.*,
        windows.is_declared,
        windows.baseline_start,
        windows.baseline_end,
        coalesce(
            scores.period_start <= windows.baseline_end
            and scores.period_end >= windows.baseline_start,
            false
        ) as is_in_baseline
    from scores
    inner join windows
        on {{ same(scope_key(), 'scores', 'windows') }}

),

compared as (

    select
        placed.*,
        baselines.responses as baseline_responses,
        baselines.promoters as baseline_promoters,
        baselines.passives as baseline_passives,
        baselines.detractors as baseline_detractors,
        baselines.nps as baseline_nps,
        baselines.nps_standard_error as baseline_nps_standard_error,
        baselines.nps_ci_low as baseline_nps_ci_low,
        baselines.nps_ci_high as baseline_nps_ci_high,
        {{ change_columns('placed', 'usual') }},
        {{ is_testable('placed', 'usual') }} as is_testable
    from placed
    left join baselines
        on {{ same(scope_key(), 'placed', 'baselines') }}
    -- A period that shares days with its baseline is no independent sample: it is not compared.
    left join baselines as usual
        on
            {{ same(scope_key(), 'placed', 'usual') }}
            and not placed.is_in_baseline

)

select
    scope_type,
    scope_id,
    {{ period_columns() }},
    {{ nps_block() }},
    is_declared,
    baseline_start,
    baseline_end,
    is_in_baseline,
    baseline_responses,
    baseline_promoters,
    baseline_passives,
    baseline_detractors,
    baseline_nps,
    baseline_nps_standard_error,
    baseline_nps_ci_low,
    baseline_nps_ci_high,
    {{ tested_change() }},
    is_testable
from compared
