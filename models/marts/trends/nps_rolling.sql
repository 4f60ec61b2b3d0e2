{% set lengths = [3, 12] %}

with

months as (

    select
        *,
        -- Months in a row, so that a window reaches back over those without answers.
        12 * extract(year from period_start) + extract(month from period_start) as month_number
    from {{ ref('period_response_counts') }}
    where
        period_type = 'month'
        and scope_type in ({{ trend_scopes() }})

),

counts as (

    {% for length in lengths -%}
        {% set rolling = "partition by scope_type, scope_id, survey_type order by month_number "
            ~ "range between " ~ (length - 1) ~ " preceding and current row" -%}
        select
            scope_type,
            scope_id,
            survey_type,
            period_type,
            period_start,
            period_end,
            is_complete,
            {{ length }} as rolling_months,
            {% for count in ['responses', 'promoters', 'passives', 'detractors'] -%}
                cast(sum({{ count }}) over ({{ rolling }}) as bigint) as {{ count }},
            {% endfor -%}
            count(*) over ({{ rolling }}) as months_with_answers
        from months
        {{- "
        union all
        " if not loop.last }}
    {% endfor %}

),

{{ nps_block_of('counts') }}

select
    scope_type,
    scope_id,
    {{ period_columns() }},
    rolling_months,
    months_with_answers,
    {{ nps_block() }}
from with_block
