{#- Share of each category in the last complete month less that of the months before, in points. -#}
with

{{ recent_periods() }},

counts as (

    select
        scores.survey_type,
        scores.period_start >= months.month_start as is_recent,
        sum(scores.responses) as responses,
        sum(scores.promoters) as promoters,
        sum(scores.passives) as passives,
        sum(scores.detractors) as detractors
    from marts.nps_by_period as scores
    cross join months
    where
        scores.period_type = 'month'
        and scores.period_start >= months.past_start
        and scores.period_start < months.month_after
    group by
        scores.survey_type,
        scores.period_start >= months.month_start

)

{% for category in ['promoters', 'passives', 'detractors'] -%}
    select
        'nps_by_period' as table_name,
        '{{ category }}' as column_name,
        'survey_type ' || recent.survey_type as part,
        100.0 * recent.{{ category }} / recent.responses
        - 100.0 * past.{{ category }} / past.responses as value,
        least(recent.responses, past.responses) as volume
    from counts as recent
    inner join counts as past
        on recent.survey_type = past.survey_type
    where
        recent.is_recent
        and not past.is_recent
    {% if not loop.last %}union all
    {% endif -%}
{% endfor %}
