{% set period = ['survey_type', 'period_type', 'period_start'] %}

with

history as (

    select * from {{ ref('department_history') }}

),

today as (

    select * from {{ ref('nps_by_department') }}
    where is_rollup

),

rolled_up as (

    select * from {{ ref('period_rollup_counts') }}

),

{{ nps_block_of('rolled_up') }}

select
    {{ period_columns('with_block') }},
    with_block.department_id,
    {{ prefixed(nps_block_names(), 'with_block') }},
    history.department_name,
    history.parent_department_id,
    today.responses as today_responses,
    today.promoters as today_promoters,
    today.passives as today_passives,
    today.detractors as today_detractors,
    today.nps as today_nps,
    today.nps - with_block.nps as today_minus_then,
    history.department_name_today,
    history.parent_department_id_today
from with_block
-- As it was called when the period ended.
left join history
    on
        with_block.department_id = history.department_id
        and with_block.period_end >= history.valid_from_on
        and with_block.period_end < history.valid_until_on
left join today
    on
        with_block.department_id = today.department_id
        and {{ same(period, 'with_block', 'today') }}
