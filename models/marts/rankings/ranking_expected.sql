{% set own_keys = ranking_set() + ['scope_id'] %}
{% set pool_keys = own_keys + ['stratum_level'] + stratum_keys() %}
{% set strata = contact_strata() %}

with

own as (

    select * from {{ ref('ranking_strata') }}

),

pools as (

    select * from {{ ref('ranking_pools') }}

),

-- Each kind of contact is looked up in the finest pool of others that is large enough.
placed as (

    select
        own.*,
        coalesce(
            {% for keys in strata -%}
                pool_{{ loop.index }}.stratum_level{{ "," if not loop.last }}
            {% endfor %}
        ) as stratum_level
    from own
    {% for keys in strata -%}
        left join pools as pool_{{ loop.index }}
            on
                {{ same_set('own', 'pool_' ~ loop.index, own_keys + keys) }}
                and pool_{{ loop.index }}.stratum_level = {{ loop.index }}
    {% endfor %}
),

keyed as (

    select
        {{ own_keys | join(',
        ') }},
        stratum_level,
        {{ keys_at_level('stratum_level') }},
        responses
    from placed

),

weights as (

    select
        {{ pool_keys | join(',
        ') }},
        sum(responses) as responses
    from keyed
    group by {{ pool_keys | join(', ') }}

),

-- A group that has no others has no expectation, and no pool.
compared as (

    select
        weights.*,
        pools.detractors as others_detractors,
        pools.passives as others_passives,
        pools.promoters as others_promoters
    from weights
    inner join pools
        on
            {{ same_set('weights', 'pools', pool_keys) }}

),

{{ expected_scores('compared', key=own_keys) }}

select * from compared_expected
