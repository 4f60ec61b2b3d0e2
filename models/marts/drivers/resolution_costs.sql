with

measured as (

    select
        *,
        {{ share_pct('resolved', 'contacts_of_known_outcome') }} as resolved_pct,
        {{ share_pct('repeated', 'followed_contacts') }} as repeated_pct,
        {{ mean_of('handle_seconds_total', 'timed_contacts') }} as handle_seconds_mean,
        -- Where nobody came back there is nothing to time.
        case
            when followed_contacts > 0 and repeated = 0 then {{ double_literal(0) }}
            else
                {{ mean_of('repeat_handle_seconds_total', 'timed_repeats') }}
                * {{ mean_of('repeated', 'followed_contacts') }}
        end as repeat_seconds_mean
    from {{ ref('period_resolution_counts') }}

),

costed as (

    select
        *,
        handle_seconds_mean + repeat_seconds_mean as cost_seconds,
        handle_band <> 'unknown'
        and contacts_of_known_outcome >= {{ var('nps_min_responses') }}
        and handle_seconds_mean + repeat_seconds_mean is not null as is_comparable
    from measured

),

-- The most that a cheaper band of the same reason resolves.
compared as (

    select
        *,
        max(resolved_pct) over (
            partition by contact_reason, period_type, period_start, is_comparable
            order by cost_seconds asc, resolved_pct desc nulls last, handle_band asc
            rows between unbounded preceding and 1 preceding
        ) as cheaper_resolved_pct
    from costed

)

select
    contact_reason,
    handle_band,
    period_type,
    period_start,
    period_end,
    is_complete,
    contacts,
    contacts_of_known_outcome,
    resolved,
    timed_contacts,
    followed_contacts,
    repeated,
    resolved_pct,
    repeated_pct,
    handle_seconds_mean,
    repeat_seconds_mean,
    cost_seconds,
    case
        when is_comparable
            then coalesce(resolved_pct > cheaper_resolved_pct, true)
    end as is_on_frontier,
    responses,
    promoters,
    passives,
    detractors
from compared
