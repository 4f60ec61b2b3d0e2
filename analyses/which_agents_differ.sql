-- Which agents differ from the rest for real?
-- Each agent beside what the same contacts had with others, over the last year that is over. Only
-- up and down differ; adjusted for the number of agents compared. Who has too few answers is not
-- compared, and stays in the list. Never read the order of the others as a ranking.
with

rankings as (

    select *
    from {{ ref('agent_ranking') }}
    where
        survey_type = 'all'
        and period_type = 'year'
        and is_complete
        and agent_id <> 'unknown'

),

last_year as (

    select max(period_start) as period_start
    from rankings

)

select
    rankings.period_start,
    rankings.agent_id,
    rankings.agent_name,
    rankings.responses,
    rankings.is_reportable,
    rankings.nps,
    rankings.expected_nps,
    rankings.nps_vs_expected,
    rankings.vs_expected_ci_low,
    rankings.vs_expected_ci_high,
    rankings.vs_expected_adjusted_p_value,
    rankings.vs_expected_verdict
from rankings
inner join last_year
    on rankings.period_start = last_year.period_start
order by
    case when rankings.vs_expected_verdict in ('up', 'down') then 0 else 1 end asc,
    rankings.vs_expected_adjusted_p_value asc nulls last,
    rankings.agent_id asc
