{% set counts = ['responses', 'promoters', 'passives', 'detractors'] %}

with

pairs as (

    select * from {{ ref('nps_period_pairs') }}

),

segment_counts as (

    select * from {{ ref('period_response_counts') }}
    where scope_type in ('department', 'channel', 'contact_reason', 'product_line', 'site')

),

-- Both periods below each other, then side by side: a segment may be in one of them only.
sides as (

    select
        pairs.comparison,
        {{ period_columns('pairs') }},
        {% for count in counts -%}
            segment_counts.{{ count }},
        {% endfor -%}
        {% for count in counts -%}
            0 as previous_{{ count }},
        {% endfor -%}
        segment_counts.scope_type,
        segment_counts.scope_id
    from pairs
    inner join segment_counts
        on
            pairs.survey_type = segment_counts.survey_type
            and pairs.period_type = segment_counts.period_type
            and pairs.period_start = segment_counts.period_start
    union all
    select
        pairs.comparison,
        {{ period_columns('pairs') }},
        {% for count in counts -%}
            0 as {{ count }},
        {% endfor -%}
        {% for count in counts -%}
            segment_counts.{{ count }} as previous_{{ count }},
        {% endfor -%}
        segment_counts.scope_type,
        segment_counts.scope_id
    from pairs
    inner join segment_counts
        on
            pairs.survey_type = segment_counts.survey_type
            and pairs.period_type = segment_counts.period_type
            and pairs.previous_period_start = segment_counts.period_start

)

select
    {{ period_columns() }},
    comparison,
    scope_type,
    scope_id,
    {% for count in counts -%}
        cast(sum(previous_{{ count }}) as bigint) as previous_{{ count }},
    {% endfor -%}
    {{ summed_counts() }}
from sides
group by
    {{ period_columns() }},
    comparison,
    scope_type,
    scope_id
