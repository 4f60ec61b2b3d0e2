{% set counts = [
    'mentions.before_mentions', 'totals.before_comments',
    'mentions.after_mentions', 'totals.after_comments',
] %}

with

comments as (

    select * from {{ ref('initiative_answers') }}
    where is_commented

),

themes as (

    select * from {{ ref('said_themes') }}

),

totals as (

    select
        initiative_id,
        count(case when not is_after then 1 end) as before_comments,
        count(case when is_after then 1 end) as after_comments
    from comments
    group by initiative_id

),

mentions as (

    select
        comments.initiative_id,
        themes.theme,
        count(case when not comments.is_after then 1 end) as before_mentions,
        count(case when comments.is_after then 1 end) as after_mentions
    from comments
    inner join themes
        on comments.response_id = themes.response_id
    group by comments.initiative_id, themes.theme

),

compared as (

    select
        mentions.initiative_id,
        mentions.theme,
        {{ counts | join(',
        ') }},
        {{ share_pct(*counts[:2]) }} as before_share_pct,
        {{ share_pct(*counts[2:]) }} as after_share_pct,
        case
            when
                least(totals.before_comments, totals.after_comments)
                >= {{ var('nps_min_responses') }}
                then {{ two_proportion_z(*counts) }}
        end as z_value
    from mentions
    inner join totals
        on mentions.initiative_id = totals.initiative_id

),

tested as (

    select
        *,
        {{ two_sided_p('z_value') }} as p_value
    from compared

),

{{ benjamini_hochberg('tested', within=['initiative_id'], key=['theme']) }}

select
    initiative_id,
    theme,
    before_mentions,
    before_comments,
    after_mentions,
    after_comments,
    before_share_pct,
    after_share_pct,
    after_share_pct - before_share_pct as share_change,
    p_value,
    adjusted_p_value,
    case
        when coalesce(adjusted_p_value >= {{ significance_level() }}, true) then 'no evidence'
        when z_value > 0 then 'more'
        else 'fewer'
    end as moved
from tested_adjusted
