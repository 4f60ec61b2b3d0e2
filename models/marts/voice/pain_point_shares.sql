{% set period_key = ['survey_type', 'period_type', 'period_start'] %}

with

windows as (

    select * from {{ ref('pain_point_windows') }}
    where scope_type in ('company', 'department')

),

department_windows as (

    select * from windows
    where scope_type = 'department'

),

commented as (

    select * from department_windows
    where theme = ''

),

company as (

    select * from windows
    where
        scope_type = 'company'
        and theme = ''

),

-- What nobody says is a praise may be a pain.
pains as (

    select * from {{ ref('themes') }}
    where coalesce(sign, -1) < 0

)

select
    {{ period_columns('department_windows') }},
    department_windows.scope_id as department_id,
    pains.theme,
    pains.family,
    coalesce(pains.owner_department_id, department_windows.scope_id) as owner_department_id,
    department_windows.responses as mentions,
    department_windows.detractors as detractor_mentions,
    commented.responses as commented_responses,
    {{ share_pct('department_windows.responses', 'commented.responses') }} as mention_pct,
    {{ share_pct('department_windows.earlier_responses', 'commented.earlier_responses') }}
        as earlier_mention_pct,
    {{ two_proportion_z(
        'department_windows.earlier_responses', 'nullif(commented.earlier_responses, 0)',
        'department_windows.responses', 'commented.responses',
    ) }} as rise_z,
    department_windows.window_periods as recurring_periods,
    department_windows.window_responses as window_mentions,
    {{ share_pct(
        'department_windows.window_detractors', 'department_windows.window_responses'
    ) }} as window_detractor_pct,
    {{ wilson_limit(
        'department_windows.window_detractors', 'department_windows.window_responses', 'low'
    ) }} as window_detractor_pct_ci_low,
    {{ share_pct('company.window_detractors', 'company.window_responses') }}
        as company_detractor_pct
from department_windows
inner join pains
    on department_windows.theme = pains.theme
inner join commented
    on {{ same(['scope_id'] + period_key, 'department_windows', 'commented') }}
inner join company
    on {{ same(period_key, 'department_windows', 'company') }}
