{% set keys = 'survey_type, period_type, period_start' %}

with

moves as (

    select
        {{ keys }},
        value_move,
        succeeded_customers,
        failed_customers,
        compared_customers,
        least(succeeded_customers, failed_customers) as fewest_customers,
        value_difference,
        value_difference_standard_error,
        within_segment_difference,
        within_segment_standard_error
    from {{ ref('value_moves') }}

),

-- Nobody enters a cohort with both moves, so they are independent.
compared as (

    select * from moves
    union all
    select
        {{ keys }},
        'keep_over_win_back' as value_move,
        {{ added_up(['succeeded_customers', 'failed_customers']) }},
        {{ added_up(['compared_customers']) }},
        min(fewest_customers) as fewest_customers,
        {{ keeping_less_winning('value_difference', 'value_difference_standard_error') }},
        {{ keeping_less_winning('within_segment_difference', 'within_segment_standard_error') }}
    from moves
    where value_move in ('keep_promoter', 'win_back_detractor')
    group by {{ keys }}
    having count(*) = 2

),

tested as (

    select
        compared.*,
        {{ end_of_period(
            'compared.period_type', 'compared.period_start', 'as_of.last_response_date'
        ) }} as period_end,
        {{ end_of_period(
            'compared.period_type', 'compared.period_start', 'as_of.last_response_date'
        ) }} < as_of.as_of_date as is_complete,
        compared.fewest_customers >= {{ var('nps_min_responses') }} as is_reportable,
        compared.within_segment_difference
        / nullif(compared.within_segment_standard_error, 0) as z_value
    from compared
    cross join {{ ref('as_of') }} as as_of

)

select
    {{ period_columns() }},
    value_move,
    succeeded_customers,
    failed_customers,
    {% for name in ['value_difference', 'within_segment'] -%}
        {%- set shown = name ~ ('_difference' if name == 'within_segment' else '') -%}
        {%- set reach = normal_quantile_95() ~ ' * nullif(' ~ name ~ '_standard_error, 0)' -%}
        {%- if not loop.first %}compared_customers,
        {% endif -%}
        {{ shown }},
        {{ name }}_standard_error,
        {{ shown }} - {{ reach }} as {{ name }}_ci_low,
        {{ shown }} + {{ reach }} as {{ name }}_ci_high,
    {% endfor -%}
    z_value,
    {{ two_sided_p('z_value') }} as p_value,
    is_reportable,
    {{ verdict(
        'within_segment_difference', 'z_value', two_sided_p('z_value'),
        'is_reportable and is_complete',
    ) }} as verdict
from tested
