with

pairs as (

    select
        survey_type,
        {{ period_start('month', 'period_date') }} as month_start,
        previous_nps_category,
        nps_category,
        paired_change,
        count(*) as pairs
    from {{ ref('customer_score_journey') }}
    -- A first answer has none before it.
    where previous_response_id is not null
    group by
        survey_type,
        {{ period_start('month', 'period_date') }},
        previous_nps_category,
        nps_category,
        paired_change

),

{{ by_longer_period('pairs', 'month_start') }},

added_up as (

    select
        survey_type,
        period_type,
        period_start,
        previous_nps_category,
        nps_category,
        paired_change,
        cast(sum(pairs) as bigint) as pairs
    from pairs_by_period
    group by
        survey_type, period_type, period_start, previous_nps_category, nps_category, paired_change

),

wholes as (

    select
        *,
        cast(sum(pairs) over (
            partition by survey_type, period_type, period_start
        ) as bigint) as cohort_pairs,
        cast(sum(pairs) over (
            partition by survey_type, period_type, period_start, previous_nps_category
        ) as bigint) as previous_category_pairs
    from added_up

)

select
    wholes.survey_type,
    wholes.period_type,
    wholes.period_start,
    {{ end_of_period('wholes.period_type', 'wholes.period_start', 'as_of.last_response_date') }}
        as period_end,
    {{ end_of_period('wholes.period_type', 'wholes.period_start', 'as_of.last_response_date') }}
    < as_of.as_of_date as is_complete,
    wholes.previous_nps_category,
    wholes.nps_category,
    wholes.paired_change,
    wholes.pairs,
    wholes.cohort_pairs,
    {{ share_pct('wholes.pairs', 'wholes.cohort_pairs') }} as pair_share_pct,
    wholes.previous_category_pairs,
    {{ share_pct('wholes.pairs', 'wholes.previous_category_pairs') }} as migrated_pct,
    {{ wilson_limit('wholes.pairs', 'wholes.previous_category_pairs', 'low') }}
        as migrated_ci_low,
    {{ wilson_limit('wholes.pairs', 'wholes.previous_category_pairs', 'high') }}
        as migrated_ci_high,
    wholes.previous_category_pairs >= {{ var('nps_min_responses') }} as is_reportable
from wholes
cross join {{ ref('as_of') }} as as_of
