with

counts as (

    select * from {{ ref('heaped_score_counts') }}

),

company as (

    select * from counts
    where scope_type = 'company'

),

members as (

    select * from counts
    where
        scope_type <> 'company'
        and {{ can_be_asked('scope_id') }}

),

-- Categories are strata: who has many promoters has many tens, and nobody made them up.
compared as (

    select
        members.scope_type,
        members.scope_id,
        members.period_type,
        members.period_start,
        members.period_end,
        cast(sum(members.answers) as bigint) as cases,
        cast(sum(members.heaped) as {{ double_type() }}) as observed,
        {{ stratified_expected('members.answers', 'company.heaped', 'company.answers') }}
            as expected,
        {{ stratified_z(
            'members.heaped', 'members.answers', 'company.heaped', 'company.answers'
        ) }} as z
    from members
    inner join company
        on
            members.period_type = company.period_type
            and members.period_start = company.period_start
            and members.nps_category = company.nps_category
    group by
        members.scope_type,
        members.scope_id,
        members.period_type,
        members.period_start,
        members.period_end

),

comparisons as (

    select
        *,
        {{ two_sided_p('z') }} as p_value
    from compared
    where cases >= {{ var('nps_min_responses') }}

),

{{ suspicions_of(
    'heaped_scores',
    'all',
    'z > 0',
    "'Did customers give all of these answers themselves: of ' || " ~ in_words('cases')
    ~ " || ' answers to ' || " ~ whom_and_when() ~ " || ', ' || " ~ in_words('observed')
    ~ " || ' are " ~ var('nps_heaped_scores') | join(', ') ~ ", when ' || " ~ in_words('expected')
    ~ " || ' would be as many as elsewhere with the same score?'",
) }}
