{% set group = 'scope_type, scope_id, survey_type, period_type, period_start' %}

with

-- Loads are few whole numbers: ranks are running sums of customers.
ranked as (

    select
        *,
        sum(customers) over (
            partition by {{ group }}
            order by recent_invitations
        ) as place,
        sum(customers) over (
            partition by {{ group }}
        ) as places
    from {{ ref('survey_loads') }}

)

select
    {{ group }},
    cast(sum(customers) as bigint) as customers,
    cast(sum(customers * recent_invitations) as {{ double_type() }})
    / sum(customers) as recent_invitations_mean,
    {{ percentile_by_rank('recent_invitations', 90, 'place', 'places') }}
        as recent_invitations_p90,
    {{ share_pct(
        'sum(case when recent_invitations > ' ~ var('nps_fatigue_invitations')
        ~ ' then customers else 0 end)', 'sum(customers)'
    ) }} as fatigued_pct
from ranked
group by {{ group }}
