{% set scopes = ['department', 'channel', 'contact_reason', 'product_line', 'site'] %}
{% set counts = ['responses', 'promoters', 'passives', 'detractors'] %}
{% set grain = ['comparison', 'survey_type', 'period_type', 'period_start'] %}

with

pairs as (

    select * from {{ ref('nps_period_pairs') }}

),

segment_counts as (

    select * from {{ ref('period_response_counts') }}
    where scope_type in ('{{ scopes | join("', '") }}')

),

-- Both periods below each other, then side by side: a segment may be in one of them only.
sides as (

    {% for side in ['', 'previous_'] -%}
        select
            {% for column in grain -%}
                pairs.{{ column }},
            {% endfor -%}
            segment_counts.scope_type,
            segment_counts.scope_id,
            {% for count in counts -%}
                {{ 0 if side == '' else 'segment_counts.' ~ count }} as previous_{{ count }},
                {{ 'segment_counts.' ~ count if side == '' else 0 }} as {{ count }}
                {{- "," if not loop.last }}
            {% endfor %}
        from pairs
        inner join segment_counts
            on
                pairs.survey_type = segment_counts.survey_type
                and pairs.period_type = segment_counts.period_type
                and pairs.{{ side }}period_start = segment_counts.period_start
        {{- "
        union all
        " if not loop.last }}
    {% endfor %}

)

select
    {{ grain | join(',
    ') }},
    scope_type,
    scope_id,
    {% for count in counts -%}
        cast(sum(previous_{{ count }}) as bigint) as previous_{{ count }},
        cast(sum({{ count }}) as bigint) as {{ count }}{{ "," if not loop.last }}
    {% endfor %}
from sides
group by
    {{ grain | join(',
    ') }},
    scope_type,
    scope_id
