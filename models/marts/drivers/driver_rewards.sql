{% set set_of_bands = 'scope_type, scope_id, survey_type, period_type, period_start, driver' %}
{% set each = ['detractors', 'passives', 'promoters'] %}
{% set sides = {'penalty': 'low', 'reward': 'high'} %}

with

performances as (

    select
        {% for performance in ['low', 'middle', 'high'] -%}
            {% for count in ['responses'] + each -%}
                cast(
                    sum(case when performance = '{{ performance }}' then {{ count }} else 0 end)
                    as bigint
                ) as {{ performance }}_{{ count }},
            {% endfor -%}
        {% endfor -%}
        {{ set_of_bands }}
    from {{ ref('driver_sides') }}
    group by {{ set_of_bands }}

),

scored as (

    select
        {% for performance in ['low', 'middle', 'high'] -%}
            {%- set counts = [] -%}
            {%- for count in each -%}
                {%- do counts.append(performance ~ '_' ~ count) -%}
            {%- endfor -%}
            {{ nps(*counts) }} as {{ performance }}_nps,
            -- Of nobody there is none.
            case when {{ performance }}_responses > 0 then {{ nps_adjusted(*counts) }} end
                as {{ performance }}_adjusted,
            {{ nps_standard_error(*counts) }} as {{ performance }}_error,
        {% endfor -%}
        *
    from performances

),

-- With a constant and two dummies a regression's coefficients are differences of group means.
compared as (

    select
        {% for side, performance in sides.items() -%}
            {{ performance }}_nps - middle_nps as {{ side }},
            {{ performance }}_adjusted - middle_adjusted as {{ side }}_middle,
            {{ normal_quantile_95() }}
            * {{ difference_standard_error('middle_error', performance ~ '_error') }}
                as {{ side }}_half_width,
            {{ difference_z(
                'middle_adjusted', 'middle_error', performance ~ '_adjusted', performance ~ '_error'
            ) }} as {{ side }}_z,
        {% endfor -%}
        *
    from scored

)

select
    {{ set_of_bands }},
    {% for side, performance in sides.items() -%}
        {{ side }},
        {{ side }}_middle - {{ side }}_half_width as {{ side }}_ci_low,
        {{ side }}_middle + {{ side }}_half_width as {{ side }}_ci_high,
        case
            when
                least({{ performance }}_responses, middle_responses)
                >= {{ var('nps_min_responses') }}
                then {{ two_sided_p(side ~ '_z') }}
        end as {{ side }}_p_value,
    {% endfor -%}
    low_responses,
    middle_responses,
    high_responses
from compared
