with

days as (

    select * from {{ ref('chart_baseline_days') }}

),

pooled as (

    select
        scope_type,
        scope_id,
        survey_type,
        is_declared,
        baseline_start,
        baseline_end,
        count(*) as charted_days,
        {{ summed_counts() }}
    from days
    group by scope_type, scope_id, survey_type, is_declared, baseline_start, baseline_end

),

-- First days are a baseline once there are enough of them, a declared window once it has answers
-- enough. Answers that are all alike say nothing of how widely scores scatter.
complete as (

    select
        *,
        {{ nps('detractors', 'passives', 'promoters') }} as nps,
        {{ nps_variance('detractors', 'passives', 'promoters') }} as nps_variance,
        cast(detractors as {{ double_type() }}) / responses as detractor_share
    from pooled
    where
        {{ nps_variance('detractors', 'passives', 'promoters') }} > 0
        and (
            (is_declared and responses >= {{ var('nps_min_responses') }})
            or (not is_declared and charted_days = {{ var('nps_chart_baseline_days') }})
        )

),

shares as (

    select
        days.scope_type,
        days.scope_id,
        days.survey_type,
        days.charted_on,
        {{ standardized(
            'cast(days.detractors as ' ~ double_type() ~ ') / days.responses',
            'complete.detractor_share',
            'complete.detractor_share * (1 - complete.detractor_share)',
            'days.responses',
        ) }} as standardized_share
    from days
    inner join complete
        on {{ same(scope_key(), 'days', 'complete') }}

),

{{ dispersion('shares', within=scope_key(), order=['charted_on']) }}

select
    complete.scope_type,
    complete.scope_id,
    complete.survey_type,
    complete.is_declared,
    complete.baseline_start,
    complete.baseline_end,
    complete.charted_days,
    complete.responses,
    complete.promoters,
    complete.passives,
    complete.detractors,
    complete.nps,
    complete.nps_variance,
    complete.detractor_share,
    shares_dispersed.sigma_z
from complete
inner join shares_dispersed
    on {{ same(scope_key(), 'complete', 'shares_dispersed') }}
