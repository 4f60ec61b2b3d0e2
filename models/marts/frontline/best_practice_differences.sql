{% set periods = ['period_type', 'period_start'] %}
{% set strata = ['contact_reason', 'channel', 'driver'] %}
{% set key = ['scope_type', 'scope_id'] + periods + ['driver'] %}

with

own as (

    select * from {{ ref('best_practice_own') }}

),

periods as (

    select
        period_type,
        period_start,
        min(period_end) as period_end
    from {{ ref('best_practice_members') }}
    group by period_type, period_start

),

everyone as (

    -- Months make up every period that is ranked; of `all` the first may begin within a month.
    select
        {{ prefixed(periods, 'periods') }},
        {{ prefixed(strata, 'months') }},
        sum(months.answers) as answers,
        {{ sum_of_doubles('months.total') }} as total,
        {{ sum_of_doubles('months.squares') }} as squares
    from {{ ref('best_practice_everyone') }} as months
    inner join periods
        on
            months.period_month >= {{ period_start('month', 'periods.period_start') }}
            and months.period_month <= periods.period_end
    group by {{ prefixed(periods, 'periods') }}, {{ prefixed(strata, 'months') }}

),

-- Against the others on the same kind of contact; where they have few answers there is no saying.
matched as (

    select
        {{ prefixed(key, 'own') }},
        own.answers,
        own.total,
        everyone.answers - own.answers as others_answers,
        everyone.total - own.total as others_total,
        everyone.squares - own.squares as others_squares
    from own
    inner join everyone
        on {{ same(periods + strata, 'own', 'everyone') }}
    where everyone.answers - own.answers >= {{ var('nps_min_stratum_responses') }}

),

weighted as (

    select
        *,
        {{ mean_of('others_total', 'others_answers') }} as others_mean,
        {{ variance_of('others_squares', 'others_total', 'others_answers') }} as others_variance,
        cast(sum(answers) over (partition by {{ key | join(', ') }}) as {{ double_type() }})
            as compared
    from matched

),

summed as (

    -- The variance is the others': of a few answers of its own nobody knows one.
    select
        {{ key | join(',
        ') }},
        cast(sum(answers) as bigint) as compared_responses,
        {{ sum_of_doubles('total') }} / sum(answers) as own_value,
        {{ sum_of_doubles('answers / compared * others_mean') }} as others_value,
        sqrt({{ sum_of_doubles(
            'power(answers / compared, 2)'
            ~ ' * others_variance * (1.0 / answers + 1.0 / others_answers)'
        ) }}) as standard_error
    from weighted
    group by {{ key | join(', ') }}

)

select
    {{ key | join(',
    ') }},
    compared_responses,
    own_value,
    others_value,
    standard_error,
    own_value - others_value as difference,
    (own_value - others_value) / nullif(standard_error, 0) as z_value
from summed
