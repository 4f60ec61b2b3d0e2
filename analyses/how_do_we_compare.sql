-- How do we compare with the industry?
-- Our score of the last quarter that is over beside the tenth, the middle and the ninetieth of a
-- hundred companies. Decided is what the whole interval says; undecided: it crosses one of them.
-- Ask where the benchmark comes from before anybody is praised or blamed for it.
with

gaps as (

    select *
    from {{ ref('nps_benchmark_gap') }}
    where
        survey_type = 'all'
        and period_type = 'quarter'
        and scope_type = 'company'
        and not is_rollup
        and is_complete

),

last_quarter as (

    select max(period_start) as period_start
    from gaps

)

select
    gaps.period_start,
    gaps.benchmark_year,
    gaps.benchmark_source,
    gaps.responses,
    gaps.nps,
    gaps.nps_ci_low,
    gaps.nps_ci_high,
    gaps.p10,
    gaps.p50,
    gaps.p90,
    gaps.gap_to_p50,
    gaps.gap_to_p50_ci_low,
    gaps.gap_to_p50_ci_high,
    gaps.observed_position,
    gaps.decided_position
from gaps
inner join last_quarter
    on gaps.period_start = last_quarter.period_start
order by gaps.period_start asc
