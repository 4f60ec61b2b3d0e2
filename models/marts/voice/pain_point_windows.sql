{#- What is counted over the last complete periods up to a row's own: its own among them where it is
    complete. Periods without a row are none of a theme, so windows go by number. -#}
{% set series = scope_key() + ['period_type', 'theme'] %}
{% set periods = var('nps_pain_periods') | int %}
{% set by_number = 'order by period_number range between ' %}
{% set by_number = 'partition by ' ~ series | join(', ') ~ ' ' ~ by_number %}
{% set with_own = by_number ~ (periods - 1) ~ ' preceding and current row' %}
{% set before = by_number ~ periods ~ ' preceding and 1 preceding' %}

with

theme_periods as (

    select * from {{ ref('theme_periods') }}

)

select
    scope_type,
    scope_id,
    survey_type,
    period_type,
    period_start,
    period_end,
    is_complete,
    theme,
    responses,
    promoters,
    passives,
    detractors,
    {% for name, counted in {
        'window_responses': 'responses', 'window_detractors': 'detractors', 'window_periods': '1',
    }.items() -%}
        cast(
            coalesce(
                case
                    when is_complete
                        then sum({{ counted }}) over ({{ with_own }})
                    else sum({{ counted }}) over ({{ before }})
                end,
                0
            ) as bigint
        ) as {{ name }},
    {% endfor -%}
    cast(coalesce(sum(responses) over ({{ before }}), 0) as bigint)
        as earlier_responses
from theme_periods
