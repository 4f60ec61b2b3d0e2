{#- Population stability index (Siddiqi, Credit Risk Scorecards, 2006; the Jeffreys divergence) of
    the scores of the last complete month against those of the months before. Half an answer is
    added to every score, so that one that nobody gave does not make it infinite. -#}
with

{{ recent_periods() }},

answers as (

    select
        responses.survey_type,
        responses.survey_channel,
        responses.score,
        responses.period_date >= months.month_start as is_recent
    from marts.fct_survey_responses as responses
    cross join months
    where
        responses.period_date >= months.past_start
        and responses.period_date < months.month_after

),

grouped as (

    select
        'survey_type ' || survey_type as part,
        score,
        is_recent
    from answers
    union all
    select
        'survey_channel ' || survey_channel as part,
        score,
        is_recent
    from answers

),

counts as (

    select
        part,
        score,
        sum(case when is_recent then 1 else 0 end) as recent,
        sum(case when is_recent then 0 else 1 end) as past
    from grouped
    group by
        part,
        score

),

totals as (

    select
        part,
        sum(recent) as recent,
        sum(past) as past
    from counts
    group by part

),

scale as (

    {% for score in range(11) -%}
        select {{ score }} as score
        {% if not loop.last %}union all
        {% endif -%}
    {% endfor %}
),

shares as (

    select
        totals.part,
        totals.recent,
        totals.past,
        (coalesce(counts.recent, 0) + 0.5) / (totals.recent + 5.5) as p,
        (coalesce(counts.past, 0) + 0.5) / (totals.past + 5.5) as q
    from totals
    cross join scale
    left join counts
        on
            totals.part = counts.part
            and scale.score = counts.score

)

select
    'fct_survey_responses' as table_name,
    'score' as column_name,
    part,
    {{ sum_of_doubles('(p - q) * ln(p / q)') }} as value,
    least(min(recent), min(past)) as volume
from shares
group by part
