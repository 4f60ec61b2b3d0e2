{% set key = ['scope_type', 'scope_id', 'period_type', 'period_start'] %}
{% set lead = "scope_name || ': ' || " ~ whole_as_text('nps_vs_expected')
    ~ " || ' points above what the same contacts score with others.'" %}
{% set reach = normal_quantile_95() ~ ' * differences.standard_error' %}

with

members as (

    select * from {{ ref('best_practice_members') }}

),

differences as (

    select
        *,
        {{ two_sided_p('z_value') }} as p_value
    from {{ ref('best_practice_differences') }}
    -- Where every answer of the others is alike, nothing tells how far one may be off.
    where standard_error > 0

),

{{ benjamini_hochberg('differences', within=key, key=['driver']) }},

-- Who is better is told even where nobody else had the same kinds of contact.
shown as (

    select
        {{ prefixed(key, 'members') }},
        members.period_end,
        members.scope_name,
        members.responses,
        members.nps,
        members.expected_nps,
        members.nps_vs_expected,
        members.vs_expected_ci_low,
        members.vs_expected_ci_high,
        coalesce(differences.driver, 'none') as driver,
        differences.compared_responses,
        differences.own_value,
        differences.others_value,
        differences.difference,
        differences.difference - {{ reach }} as difference_ci_low,
        differences.difference + {{ reach }} as difference_ci_high,
        differences.p_value,
        differences.adjusted_p_value,
        coalesce(differences.adjusted_p_value < {{ significance_level() }}, false) as is_different,
        row_number() over (
            partition by {{ prefixed(key, 'members') }}
            order by abs(coalesce(differences.z_value, 0)) desc nulls last, differences.driver
        ) as driver_rank
    from members
    left join differences_adjusted as differences
        on {{ same(key, 'members', 'differences') }}

)

select
    *,
    case
        when is_different
            then
                {{ lead }} || ' Different there: '
                || {{ practice_sentence('driver', 'own_value', 'others_value') }} || '.'
        when driver = 'none'
            then {{ lead }} || ' Nobody else has such contacts to compare with: listen to some.'
        when driver_rank = 1
            then {{ lead }} || ' No figure of the contacts explains it: listen to some of them.'
    end as for_the_huddle
from shown
