{% set cell = ['scope_type', 'scope_id', 'survey_type', 'period_type', 'period_start'] %}
{% set in_order = 'partition by ' ~ cell | join(', ') ~ ' order by publication_number' %}

with

numbers as (

    select * from {{ ref('restated_numbers') }}

),

publications as (

    select * from {{ ref('state_publications') }}

),

-- What moved after a publication is why its number is not today's; what moved up to it, the number.
running as (

    select
        {{ cell | join(',
        ') }},
        publication_number,
        lead(publication_number) over ({{ in_order }}) as next_publication_number,
        cast(row_number() over ({{ in_order }}) as integer) as revision,
        {% for count in restated_counts() -%}
            cast(sum({{ count }}_moved) over (
                {{ in_order }} rows between unbounded preceding and current row
            ) as bigint) as {{ count }},
            cast(sum({{ count }}_moved) over (
                partition by {{ cell | join(', ') }}
            ) as bigint) as now_{{ count }},
        {% endfor -%}
        {% for column in movement_columns() -%}
            cast(coalesce(sum({{ column }}) over (
                {{ in_order }} rows between 1 following and unbounded following
            ), 0) as bigint) as {{ column }},
        {% endfor -%}
        period_end
    from numbers

),

shown as (

    select
        running.*,
        publications.publication_id,
        publications.as_of as published_as_of,
        publications.metric_version,
        coalesce(running.next_publication_number - 1, metric_version.last_publication_number)
            as last_publication_number,
        {{ nps('running.detractors', 'running.passives', 'running.promoters') }} as nps,
        {{ nps(
            'running.now_detractors', 'running.now_passives', 'running.now_promoters'
        ) }} as now_nps
    from running
    -- What is not published yet has no publication, and so no row.
    inner join publications
        on running.publication_number = publications.publication_number
    cross join {{ ref('metric_version') }} as metric_version

)

select
    {{ cell | join(',
    ') }},
    period_end,
    publication_number,
    publication_id,
    published_as_of,
    metric_version,
    last_publication_number,
    revision,
    {{ restated_counts() | join(',
    ') }},
    nps,
    now_{{ restated_counts() | join(',
    now_') }},
    now_nps,
    now_nps - nps as nps_restatement,
    (
        responses <> now_responses
        or promoters <> now_promoters
        or detractors <> now_detractors
    ) as is_restated,
    {{ movement_columns() | join(',
    ') }}
from shown
