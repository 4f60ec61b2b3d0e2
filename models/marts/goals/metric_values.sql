with

experience as (

    select * from {{ ref('experience_scores') }}

),

contacts as (

    select
        *,
        {{ mean_of('handle_seconds_total', 'timed_contacts') }} as handle_seconds_mean,
        {{ mean_standard_error(
            'handle_seconds_squared', 'handle_seconds_total', 'timed_contacts'
        ) }} as handle_seconds_error
    from {{ ref('period_contact_counts') }}

),

invitations as (

    select * from {{ ref('period_invitation_counts') }}

),

cases as (

    select * from {{ ref('closed_loop_performance') }}

),

-- The same columns for every metric: seconds and scales as they are, shares in percent.
measured as (

    {% for name in ['csat', 'effort'] -%}
        select
            {{ period_columns() }},
            scope_type,
            scope_id,
            '{{ name }}' as metric,
            {{ name }}_responses as observations,
            {{ name }}_mean as metric_value,
            {{ name }}_mean_ci_low as value_ci_low,
            {{ name }}_mean_ci_high as value_ci_high
        from experience
        union all
    {% endfor -%}
    -- What is measured of contacts has no survey type.
    select
        'all' as {{ period_columns() }},
        scope_type,
        scope_id,
        'first_contact_resolution' as metric,
        contacts_of_known_outcome as observations,
        {{ share_pct('resolved', 'contacts_of_known_outcome') }} as metric_value,
        {{ wilson_limit('resolved', 'contacts_of_known_outcome', 'low') }} as value_ci_low,
        {{ wilson_limit('resolved', 'contacts_of_known_outcome', 'high') }} as value_ci_high
    from contacts
    union all
    select
        'all' as {{ period_columns() }},
        scope_type,
        scope_id,
        'handle_seconds' as metric,
        timed_contacts as observations,
        handle_seconds_mean as metric_value,
        {{ mean_limit('handle_seconds_mean', 'handle_seconds_error', -1, 0) }} as value_ci_low,
        handle_seconds_mean + {{ normal_quantile_95() }} * handle_seconds_error as value_ci_high
    from contacts
    union all
    select
        {{ period_columns() }},
        scope_type,
        scope_id,
        'response_rate' as metric,
        invitations as observations,
        {{ share_pct('answered', 'invitations') }} as metric_value,
        {{ wilson_limit('answered', 'invitations', 'low') }} as value_ci_low,
        {{ wilson_limit('answered', 'invitations', 'high') }} as value_ci_high
    from invitations
    union all
    -- Cases of both survey types are worked on alike.
    select
        'all' as {{ period_columns() }},
        scope_type,
        scope_id,
        'follow_up_sla' as metric,
        sla_cases as observations,
        within_sla_pct as metric_value,
        within_sla_pct_ci_low as value_ci_low,
        within_sla_pct_ci_high as value_ci_high
    from cases

)

select * from measured
where observations > 0
