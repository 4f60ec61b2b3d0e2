{% set set_keys = ranking_set() %}

with

reportable as (

    select
        *,
        count(*) over (partition by {{ set_keys | join(', ') }}) as ranked_groups
    from {{ ref('ranking_shrunk') }}
    where
        is_reportable
        and shrunk_nps is not null

),

ranked as (

    select
        {{ set_keys | join(',
        ') }},
        scope_id,
        nps_adjusted,
        nps_standard_error,
        shrunk_nps,
        ranked_groups,
        rank() over (
            partition by {{ set_keys | join(', ') }}
            order by shrunk_nps desc nulls last
        ) as shrunk_rank,
        row_number() over (
            partition by {{ set_keys | join(', ') }}
            order by shrunk_nps desc nulls last, nps desc nulls last, scope_id asc
        ) as place
    from reportable
    -- A group alone has nobody to be ranked among.
    where ranked_groups > 1

),

{{ rank_intervals('ranked', within=set_keys, key='scope_id') }},

{{ tie_groups('ranked_bounded', within=set_keys, passes=var('nps_most_tie_groups') | int) }}

select
    {{ set_keys | join(',
    ') }},
    scope_id,
    ranked_groups,
    shrunk_rank,
    rank_low,
    rank_high,
    tie_group,
    min(place) over (
        partition by {{ set_keys | join(', ') }}, tie_group
    ) as tie_rank,
    count(*) over (
        partition by {{ set_keys | join(', ') }}, tie_group
    ) as tie_size
from ranked_bounded_tied
