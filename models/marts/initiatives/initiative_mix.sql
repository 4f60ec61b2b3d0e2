{% set key = ['initiative_id', 'survey_type'] %}
{% set shares = ['before_share', 'before_nps', 'after_share', 'after_nps'] %}

with

counts as (

    select * from {{ ref('initiative_stratum_counts') }}

),

-- Both windows side by side: a kind of contact may be in one of them only.
strata as (

    select
        {{ key | join(',
        ') }},
        contact_reason,
        channel,
        {{ counts_where('not is_after', 'before') }},
        {{ counts_where('is_after', 'after') }}
    from counts
    group by {{ key | join(', ') }}, contact_reason, channel

),

totals as (

    select
        {{ key | join(',
        ') }},
        {{ counts_where('not is_after', 'before') }},
        {{ counts_where('is_after', 'after') }}
    from counts
    group by {{ key | join(', ') }}

),

-- An answer's variance is its window's: a kind of contact with two answers knows none of its own.
varied as (

    select
        *,
        {{ nps_variance(*adjusted_counts(*counts_of('before'))) }} as before_variance,
        {{ nps_variance(*adjusted_counts(*counts_of('after'))) }} as after_variance
    from totals
    -- Without answers on a side there is no share of them.
    where least(before_responses, after_responses) > 0

),

scored as (

    select
        {{ prefixed(key, 'strata') }},
        {{ nps(*counts_of('strata.before')) }} as before_nps,
        {{ nps(*counts_of('strata.after')) }} as after_nps,
        {{ mean_of('strata.before_responses', 'varied.before_responses') }} as before_share,
        {{ mean_of('strata.after_responses', 'varied.after_responses') }} as after_share,
        10000 * varied.before_variance / nullif(strata.before_responses, 0)
        + 10000 * varied.after_variance / nullif(strata.after_responses, 0) as squared_error
    from strata
    inner join varied
        on {{ same(key, 'strata', 'varied') }}

)

select
    {{ key | join(',
    ') }},
    count(case when before_nps is not null and after_nps is not null then 1 end) as compared_strata,
    {{ sum_of_doubles(rate_effect(*shares)) }} as mix_adjusted_change,
    {{ sum_of_doubles(mix_effect(*shares)) }} as mix_effect,
    -- A kind of contact in one window only has no change, and its sum of errors is null.
    sqrt({{ sum_of_doubles(
        'power((before_share + after_share) / 2, 2)'
        ~ ' * coalesce(squared_error, 0)'
    ) }}) as mix_adjusted_standard_error
from scored
group by {{ key | join(', ') }}
