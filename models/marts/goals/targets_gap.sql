with

as_of as (

    select * from {{ ref('as_of') }}

),

targets as (

    select * from {{ ref('target_ranges') }}

),

-- Only members with a target of their own: a channel is not asked for the company's handle time.
measured as (

    select
        metric_values.*,
        targets.target,
        targets.target_valid_from,
        targets.due_on,
        {{ lower_is_better('metric_values.metric') }} as lower_is_better,
        metric_values.observations >= {{ var('nps_min_responses') }} as is_reportable,
        least(metric_values.period_end, as_of.as_of_date) as judged_on
    from {{ ref('metric_values') }} as metric_values
    cross join as_of
    inner join targets
        on
            metric_values.metric = targets.metric
            and metric_values.scope_type = targets.scope_type
            and metric_values.scope_id = targets.scope_id
            and least(metric_values.period_end, as_of.as_of_date) >= targets.target_valid_from
            and least(metric_values.period_end, as_of.as_of_date) < targets.target_valid_until

),

compared as (

    select
        *,
        {{ target_gap('metric_value', 'target', 'lower_is_better') }} as gap,
        {{ months_left('judged_on', 'due_on') }} as months_left
    from measured

)

select
    {{ period_columns() }},
    scope_type,
    scope_id,
    metric,
    target,
    target_valid_from,
    due_on,
    observations,
    metric_value,
    value_ci_low,
    value_ci_high,
    is_reportable,
    lower_is_better,
    gap,
    {{ target_status(
        'value_ci_low', 'value_ci_high', 'target',
        is_decidable='is_complete and is_reportable', lower_is_better='lower_is_better',
    ) }} as status,
    months_left,
    {{ needed_per_month('gap', 'months_left') }} as needed_per_month
from compared
