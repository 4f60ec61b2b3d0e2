{% set own_keys = ranking_set() + ['scope_id'] %}
{% set pool_keys = own_keys + ['stratum_level'] + stratum_keys() %}
{% set strata = contact_strata() %}

with

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
    from {{ ref('ranking_strata') }} as own
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

{{ expected_scores('compared', key=own_keys) }},

survey_types as (

    select
        scope_type,
        max(case when survey_type = 'all' then 1 else 0 end) as has_all
    from compared_expected
    group by scope_type

)

select * from compared_expected
union all
-- Where the groups of a scope have answers to one survey type only, those are all answers.
select
    {% for key in own_keys -%}
        {{ "'all' as survey_type" if key == 'survey_type' else 'compared_expected.' ~ key }},
    {% endfor -%}
    compared_expected.expected_responses,
    compared_expected.unmatched_responses,
    compared_expected.expected_nps,
    compared_expected.expected_adjusted,
    compared_expected.expected_standard_error
from compared_expected
inner join survey_types
    on
        compared_expected.scope_type = survey_types.scope_type
        and survey_types.has_all = 0
