{% set group_key = scope_period_key() %}

with

theme_counts as (

    select * from {{ ref('period_theme_counts') }}

),

commented as (

    select * from theme_counts
    where theme = ''

),

everyone as (

    select * from {{ ref('period_response_counts') }}
    where second_scope_id is null

),

mentions as (

    select
        theme_counts.*,
        commented.responses as commented_responses,
        everyone.responses as all_responses,
        {{ nps('everyone.detractors', 'everyone.passives', 'everyone.promoters') }} as all_nps,
        row_number() over (
            partition by {{ prefixed(scope_key() + ['period_type', 'theme'], 'theme_counts') }}
            order by theme_counts.period_start
        ) as periods_mentioned,
        -- Pareto: the themes that most detractors mention first, ties in the order of their names.
        row_number() over (
            partition by {{ prefixed(group_key, 'theme_counts') }}
            order by theme_counts.detractors desc nulls last, theme_counts.theme asc
        ) as detractor_rank,
        sum(theme_counts.detractors) over (
            partition by {{ prefixed(group_key, 'theme_counts') }}
            order by theme_counts.detractors desc nulls last, theme_counts.theme asc
            rows between unbounded preceding and current row
        ) as detractors_so_far,
        sum(theme_counts.detractors) over (
            partition by {{ prefixed(group_key, 'theme_counts') }}
        ) as detractor_mentions
    from theme_counts
    inner join commented
        on {{ same(group_key, 'theme_counts', 'commented') }}
    inner join everyone
        on {{ same(group_key, 'theme_counts', 'everyone') }}
    where theme_counts.theme <> ''

),

{{ nps_block_of('mentions') }}

select
    {{ period_columns('with_block') }},
    with_block.scope_type,
    with_block.scope_id,
    with_block.theme,
    themes.family,
    themes.sign,
    themes.owner_department_id,
    {{ prefixed(nps_block_names(), 'with_block') }},
    with_block.commented_responses,
    {{ share_pct('with_block.responses', 'with_block.commented_responses') }} as mention_pct,
    {{ leave_one_out_impact(
        'with_block.responses', 'with_block.nps', 'with_block.all_responses', 'with_block.all_nps'
    ) }} as impact,
    with_block.detractor_rank,
    {{ share_pct('with_block.detractors', 'with_block.detractor_mentions') }}
        as detractor_share_pct,
    {{ share_pct('with_block.detractors_so_far', 'with_block.detractor_mentions') }}
        as cumulative_detractor_share_pct,
    first_dates.first_said_on,
    with_block.periods_mentioned
from with_block
inner join {{ ref('themes') }} as themes
    on with_block.theme = themes.theme
inner join {{ ref('theme_first_dates') }} as first_dates
    on
        {{ same(scope_key() + ['theme'], 'with_block', 'first_dates') }}
