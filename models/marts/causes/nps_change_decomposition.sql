with

pairs as (

    select * from {{ ref('nps_period_pairs') }}

),

segments as (

    select * from {{ ref('nps_segment_pairs') }}

),

scored as (

    select
        pairs.*,
        segments.scope_type,
        segments.scope_id,
        segments.previous_responses,
        segments.responses,
        segments.previous_responses * {{ double_literal(1) }} / pairs.previous_company_responses
            as previous_share_of_all,
        segments.responses * {{ double_literal(1) }} / pairs.company_responses as share_of_all,
        {{ nps(
            'segments.previous_detractors',
            'segments.previous_passives',
            'segments.previous_promoters',
        ) }} as previous_nps,
        {{ nps('segments.detractors', 'segments.passives', 'segments.promoters') }} as nps
    from segments
    inner join pairs
        on
            segments.comparison = pairs.comparison
            and segments.survey_type = pairs.survey_type
            and segments.period_type = pairs.period_type
            and segments.period_start = pairs.period_start

),

split as (

    select
        *,
        {{ mix_effect(
            'previous_share_of_all', 'previous_nps', 'share_of_all', 'nps',
            centre='(previous_company_nps + company_nps) / 2',
        ) }} as mix_effect,
        {{ rate_effect('previous_share_of_all', 'previous_nps', 'share_of_all', 'nps') }}
            as rate_effect
    from scored

)

select
    {{ period_columns() }},
    comparison,
    previous_period_start,
    scope_type,
    scope_id,
    case
        when previous_responses = 0 then 'new'
        when responses = 0 then 'vanished'
        else 'both'
    end as segment_status,
    previous_responses,
    responses,
    100 * previous_share_of_all as previous_response_share_pct,
    100 * share_of_all as response_share_pct,
    previous_nps,
    nps,
    nps - previous_nps as nps_change,
    mix_effect,
    rate_effect,
    mix_effect + rate_effect as total_effect,
    previous_company_nps,
    company_nps,
    company_nps_change,
    previous_responses >= {{ var('nps_min_responses') }}
    and responses >= {{ var('nps_min_responses') }} as is_reportable
from split
