{# Ranks that say how sure they are. A rank is of groups that may be compared, 1 the best. #}

{# Quantile of the standard normal distribution above which the share `tail` lies, for shares from
   1.4e-11 to 0.075: the middle branch of Wichura's AS 241 (1988, "The percentage points of the
   normal distribution", Applied Statistics 37), good to 16 digits. Null outside. #}
{% macro upper_normal_quantile(tail) -%}
    {%- set r = '(sqrt(-ln(' ~ tail ~ ')) - 1.6)' -%}
    {%- set above = [
        '7.74545014278341407640e-4', '2.27238449892691845833e-2', '2.41780725177450611770e-1',
        '1.27045825245236838258e0', '3.64784832476320460504e0', '5.76949722146069140550e0',
        '4.63033784615654529590e0', '1.42343711074968357734e0',
    ] -%}
    {%- set below = [
        '1.05075007164441684324e-9', '5.47593808499534494600e-4', '1.51986665636164571966e-2',
        '1.48103976427480074590e-1', '6.89767334985100004550e-1', '1.67638483018380384940e0',
        '2.05319162663775882187e0', '1.0',
    ] -%}
    case
        when {{ tail }} <= 0.075 and {{ tail }} > 1.4e-11
            then ({{ horner(above, r) }}) / ({{ horner(below, r) }})
    end
{%- endmacro %}

{# The ranks a group can truly have, at 95 % for all groups of a set together (Klein, Wright and
   Wieczorek 2020, "A joint confidence region for an overall ranking of populations", Journal of the
   Royal Statistical Society C 69): no better than one after the groups whose whole interval lies
   above the group's, no worse than before those whose whole interval lies below. The groups are
   independent, so intervals at 0.95^(1/k) (Sidak) hold all together. Adds CTEs of which the last,
   `<of>_bounded`, has the columns of `of` and rank_low and rank_high; the endpoints are counted in
   one pass in their order, no group is compared with every other.

   of:     a CTE with nps_adjusted and nps_standard_error, a row per ranked group, and their number
           in the set as ranked_groups.
   within: the columns that make a set.
   key:    the column that tells its groups apart. #}
{% macro rank_intervals(of, within, key) -%}
    {%- set sets = within | join(', ') -%}
{{ of }}_widened as (

    select
        *,
        nps_standard_error * (
            {{ upper_normal_quantile(
                '((1 - power(' ~ double_literal(0.95) ~ ', ' ~ double_literal(1)
                ~ ' / ranked_groups)) / 2)'
            ) }}
        ) as half_width
    from {{ of }}

),

{{ of }}_endpoints as (

    select
        {{ sets }},
        {{ key }},
        nps_adjusted - half_width as endpoint,
        0 as is_upper
    from {{ of }}_widened
    union all
    select
        {{ sets }},
        {{ key }},
        nps_adjusted + half_width as endpoint,
        1 as is_upper
    from {{ of }}_widened

),

{{ of }}_counted as (

    -- Where two endpoints meet the lower one comes first: intervals that touch overlap.
    select
        *,
        sum(is_upper) over (
            partition by {{ sets }} order by endpoint, is_upper, {{ key }}
            rows between unbounded preceding and current row
        ) as ended,
        sum(1 - is_upper) over (
            partition by {{ sets }} order by endpoint, is_upper, {{ key }}
            rows between unbounded preceding and current row
        ) as begun
    from {{ of }}_endpoints

),

{{ of }}_sides as (

    select
        {{ sets }},
        {{ key }},
        max(case when is_upper = 0 then ended end) as surely_worse,
        max(case when is_upper = 1 then begun end) as not_surely_better
    from {{ of }}_counted
    group by {{ sets }}, {{ key }}

),

{{ of }}_bounded as {{ materialized() }} (

    -- The rank that is shown comes of shrunk scores, and is never left out of its interval.
    select
        {{ of }}.*,
        least(
            {{ of }}.shrunk_rank,
            1 + {{ of }}.ranked_groups - cast({{ of }}_sides.not_surely_better as bigint)
        ) as rank_low,
        greatest(
            {{ of }}.shrunk_rank,
            {{ of }}.ranked_groups - cast({{ of }}_sides.surely_worse as bigint)
        ) as rank_high
    from {{ of }}
    inner join {{ of }}_sides
        on
            {{ same_set(of, of ~ '_sides', within) }}
            and {{ of }}.{{ key }} = {{ of }}_sides.{{ key }}

)
{%- endmacro %}

{# Tie groups: in the order of `place`, a new group starts at the first whose difference from the
   group's first is significant, adjusted over all that come after that first (Benjamini and
   Hochberg). Only what is lower in shrunk and in adjusted score alike is told apart. One pass finds
   the next start of every set, so as many passes as there may be tie groups are written out; sets
   that have no next start drop out. Adds CTEs of which the last, `<of>_tied`, has the columns of
   `of` and tie_group, 1 the best. Past the last pass nobody is told apart.

   of:     a CTE with place, shrunk_nps, nps_adjusted and nps_standard_error, a row per group.
   within: the columns that make a set.
   passes: tie groups a set may have. #}
{% macro tie_groups(of, within, passes) -%}
    {%- set sets = within | join(', ') -%}
{{ of }}_starts_1 as (

    select
        {{ sets }},
        min(place) as place
    from {{ of }}
    group by {{ sets }}

),

{% for next in range(2, passes + 1) -%}
    {%- set compared = of ~ '_compared_' ~ next -%}
{{ compared }} as (

    select
        {% for column in within -%}
            later.{{ column }},
        {% endfor -%}
        later.place,
        later.shrunk_nps - leader.shrunk_nps as change,
        {{ difference_z(
            'leader.nps_adjusted', 'leader.nps_standard_error',
            'later.nps_adjusted', 'later.nps_standard_error',
        ) }} as z
    from {{ of }}_starts_{{ next - 1 }} as starts
    inner join {{ of }} as leader
        on
            {{ same_set('starts', 'leader', within) }}
            and starts.place = leader.place
    inner join {{ of }} as later
        on
            {{ same_set('starts', 'later', within) }}
            and starts.place < later.place

),

{{ compared }}_tested as (

    select
        *,
        {{ two_sided_p('z') }} as p_value
    from {{ compared }}

),

{{ benjamini_hochberg(compared ~ '_tested', within=within, key=['place']) }},

{{ of }}_starts_{{ next }} as {{ materialized() }} (

    select
        {{ sets }},
        min(place) as place
    from {{ compared }}_tested_adjusted
    where {{ verdict('change', 'z', 'adjusted_p_value', 'true') }} = 'down'
    group by {{ sets }}

),

{% endfor -%}
{{ of }}_starts as (

    {% for pass in range(1, passes + 1) -%}
        select
            {{ sets }},
            place
        from {{ of }}_starts_{{ pass }}
        {{- "
        union all
        " if not loop.last }}
    {% endfor %}

),

{{ of }}_tied as (

    select
        {{ of }}.*,
        count({{ of }}_starts.place) over (
            partition by {{ of }}.{{ within | join(', ' ~ of ~ '.') }}
            order by {{ of }}.place
            rows between unbounded preceding and current row
        ) as tie_group
    from {{ of }}
    left join {{ of }}_starts
        on
            {{ same_set(of, of ~ '_starts', within) }}
            and {{ of }}.place = {{ of }}_starts.place

)
{%- endmacro %}

{# Join condition: both rows are of one set. #}
{% macro same_set(left_alias, right_alias, within) -%}
    {%- for column in within -%}
        {{ left_alias }}.{{ column }} = {{ right_alias }}.{{ column }}
        {{- "
            and " if not loop.last }}
    {%- endfor -%}
{%- endmacro %}
