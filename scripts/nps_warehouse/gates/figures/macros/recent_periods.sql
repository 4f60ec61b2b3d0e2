{#- The last complete month and the six before it. -#}
{% macro recent_periods() -%}
period as (

    select max(period_start) as month_start
    from marts.nps_by_period
    where
        survey_type = 'all'
        and period_type = 'month'
        and is_complete

),

months as (

    select
        month_start,
        {{ plus_months('month_start', 1) }} as month_after,
        {{ plus_months('month_start', -past_months) }} as past_start
    from period

)
{%- endmacro %}
