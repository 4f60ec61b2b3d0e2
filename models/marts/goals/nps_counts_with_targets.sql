with

as_of as (

    select * from {{ ref('as_of') }}

),

targets as (

    select * from {{ ref('target_ranges') }}
    where metric = 'nps'

),

counts as (

    select
        {{ period_columns() }},
        scope_type,
        scope_id,
        false as is_rollup,
        responses,
        promoters,
        passives,
        detractors
    from {{ ref('period_response_counts') }}
    where
        second_scope_id is null
        and period_type <> 'day'
    union all
    select
        {{ period_columns() }},
        'department' as scope_type,
        department_id as scope_id,
        is_rollup,
        responses,
        promoters,
        passives,
        detractors
    from {{ ref('nps_by_department') }}
    where
        is_rollup
        and period_type <> 'day'

),

dated as (

    select
        counts.*,
        -- A period that is not over is judged by what is in force now.
        least(counts.period_end, as_of.as_of_date) as judged_on
    from counts
    cross join as_of

)

select
    {{ period_columns('dated') }},
    dated.scope_type,
    dated.scope_id,
    dated.is_rollup,
    dated.judged_on,
    coalesce(own_targets.target, company_targets.target) as target,
    case
        when own_targets.target is not null then own_targets.scope_type
        else company_targets.scope_type
    end as target_scope_type,
    case
        when own_targets.target is not null then own_targets.target_valid_from
        else company_targets.target_valid_from
    end as target_valid_from,
    case
        when own_targets.target is not null then own_targets.due_on
        else company_targets.due_on
    end as due_on,
    company_targets.target as company_target,
    dated.responses,
    dated.promoters,
    dated.passives,
    dated.detractors
from dated
left join targets as own_targets
    on
        dated.scope_type = own_targets.scope_type
        and dated.scope_id = own_targets.scope_id
        and dated.judged_on >= own_targets.target_valid_from
        and dated.judged_on < own_targets.target_valid_until
-- Who has no target of its own has the company's.
left join targets as company_targets
    on
        company_targets.scope_type = 'company'
        and dated.judged_on >= company_targets.target_valid_from
        and dated.judged_on < company_targets.target_valid_until
where coalesce(own_targets.target, company_targets.target) is not null
