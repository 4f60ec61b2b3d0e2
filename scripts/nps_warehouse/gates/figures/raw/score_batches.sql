{#- One row per batch of answers: a file, a way of answering, a survey. -#}
with

{{ parsed_cells(table, columns) }},

scores as (

    select
        _source_file,
        text_survey_channel as survey_channel,
        text_survey_id as survey_id,
        parsed_score as score
    from parsed
    where parsed_score is not null

),

batches as (

    {% for batch in ['_source_file', 'survey_channel', 'survey_id'] -%}
        select
            '{{ batch | replace('_source_', '') }} ' || {{ batch }} as part,
            count(*) as scores,
            count(case when score = 10 then 1 end) as tens,
            count(case when score = 0 then 1 end) as zeros,
            max(score) as highest
        from scores
        where {{ batch }} is not null
        group by {{ batch }}
        having count(*) >= {{ least_volume }}
        {% if not loop.last %}union all
        {% endif -%}
    {% endfor %}
)

select
    part,
    scores,
    tens,
    zeros,
    highest
from batches
order by
    scores desc,
    part
limit {{ most_batches }}
