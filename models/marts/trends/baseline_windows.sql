with

members as (

    select
        scope_type,
        scope_id,
        survey_type
    from {{ ref('period_response_counts') }}
    where
        period_type = 'all'
        and scope_type in ({{ trend_scopes() }})

),

declared as (

    select * from {{ ref('declared_baselines') }}

),

months as (

    select period_start
    from {{ ref('period_response_counts') }}
    where
        scope_type = 'company'
        and survey_type = 'all'
        and period_type = 'month'
        and is_complete

),

-- A year holds every season once; a quarter is better than nothing.
candidates as (

    {% for period_type, length in {'year': 12, 'quarter': 3}.items() -%}
        select
            {{ length }} as months,
            {{ period_start(period_type, 'period_start') }} as starts_on,
            {{ period_end(period_type, period_start(period_type, 'period_start')) }} as ends_on
        from months
        group by {{ period_start(period_type, 'period_start') }}
        having count(*) = {{ length }}
        {{- "
        union all
        " if not loop.last }}
    {% endfor %}

),

usual as (

    select
        *,
        row_number() over (order by months desc nulls last, starts_on asc) as choice
    from candidates

),

-- The narrowest declaration holds: of the member before that of all members, of the survey type
-- before that of any.
matched as (

    select
        members.*,
        coalesce(own.starts_on, own_any.starts_on, each.starts_on, each_any.starts_on)
            as declared_start,
        coalesce(own.ends_on, own_any.ends_on, each.ends_on, each_any.ends_on) as declared_end
    from members
    {% for name, scope_id, survey_type in [
        ('own', 'members.scope_id', 'members.survey_type'),
        ('own_any', 'members.scope_id', "'*'"),
        ('each', "'*'", 'members.survey_type'),
        ('each_any', "'*'", "'*'"),
    ] -%}
        left join declared as {{ name }}
            on
                members.scope_type = {{ name }}.scope_type
                and {{ name }}.scope_id = {{ scope_id }}
                and {{ name }}.survey_type = {{ survey_type }}
    {% endfor %}

)

select
    matched.scope_type,
    matched.scope_id,
    matched.survey_type,
    matched.declared_start is not null as is_declared,
    coalesce(matched.declared_start, usual.starts_on) as baseline_start,
    coalesce(matched.declared_end, usual.ends_on) as baseline_end
from matched
left join usual
    on usual.choice = 1
