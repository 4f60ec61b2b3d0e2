{% set scopes = [
    'department', 'channel', 'contact_reason', 'product_line', 'site', 'segment',
    'survey_channel', 'agent', 'language',
] %}
{% set own = ['detractors', 'passives', 'promoters'] %}
{% set rest = ['rest_detractors', 'rest_passives', 'rest_promoters'] %}

with

counts as (

    select * from {{ ref('period_response_counts') }}
    where period_type <> 'day'

),

company as (

    select * from counts
    where scope_type = 'company'

),

sides as (

    select
        {{ period_columns('counts') }},
        counts.scope_type,
        counts.scope_id,
        {% for count in ['responses'] + own -%}
            counts.{{ count }},
            company.{{ count }} as company_{{ count }},
            company.{{ count }} - counts.{{ count }} as rest_{{ count }}
            {{- "," if not loop.last }}
        {% endfor %}
    from counts
    inner join company
        on
            counts.survey_type = company.survey_type
            and counts.period_type = company.period_type
            and counts.period_start = company.period_start
    where counts.scope_type in ('{{ scopes | join("', '") }}')

),

scored as (

    select
        *,
        {{ nps(*own) }} as nps,
        {{ nps(*rest) }} as rest_nps,
        {{ nps_adjusted(*own) }} as nps_adjusted,
        {{ nps_standard_error(*own) }} as nps_standard_error,
        -- Of nobody there is no score, however it is adjusted.
        case when rest_responses > 0 then {{ nps_adjusted(*rest) }} end as rest_adjusted,
        {{ nps_standard_error(*rest) }} as rest_standard_error,
        responses >= {{ var('nps_min_responses') }} as is_reportable,
        responses >= {{ var('nps_min_responses') }}
        and rest_responses >= {{ var('nps_min_responses') }} as is_comparable
    from sides

),

compared as (

    select
        *,
        nps - rest_nps as difference_from_rest,
        nps_adjusted - rest_adjusted as adjusted_difference,
        {{ difference_standard_error('rest_standard_error', 'nps_standard_error') }}
            as standard_error_of_difference,
        {{ difference_z(
            'rest_adjusted', 'rest_standard_error', 'nps_adjusted', 'nps_standard_error'
        ) }} as z
    from scored

)

select
    {{ period_columns() }},
    scope_type,
    scope_id,
    {% for count in ['responses', 'promoters', 'passives', 'detractors'] -%}
        {{ count }},
    {% endfor -%}
    nps,
    is_reportable,
    company_responses,
    company_detractors,
    {{ nps('company_detractors', 'company_passives', 'company_promoters') }} as company_nps,
    rest_responses,
    rest_nps,
    difference_from_rest,
    adjusted_difference
    - {{ normal_quantile_95() }} * standard_error_of_difference as difference_ci_low,
    adjusted_difference
    + {{ normal_quantile_95() }} * standard_error_of_difference as difference_ci_high,
    z,
    case when is_comparable then {{ two_sided_p('z') }} end as p_value
from compared
