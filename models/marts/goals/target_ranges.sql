with

targets as (

    select * from {{ ref('nps_targets') }}
    {% if var('agent_identity') == 'none' -%}
        -- Agents who are not told apart have no targets of their own.
        where scope_type <> 'agent'
    {% endif %}

),

shown as (

    select
        scope_type,
        case scope_type
            when 'company' then 'all'
            when 'agent' then {{ shown_agent('scope_id') }}
            else scope_id
        end as scope_id,
        metric,
        valid_from,
        cast(target as {{ double_type() }}) as target,
        due_on
    from targets

)

select
    scope_type,
    scope_id,
    metric,
    valid_from as target_valid_from,
    -- A target holds until the next one of the same scope and metric begins.
    coalesce(
        lead(valid_from) over (
            partition by scope_type, scope_id, metric
            order by valid_from
        ),
        date '9999-12-31'
    ) as target_valid_until,
    target,
    due_on
from shown
