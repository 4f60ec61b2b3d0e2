-- sqlfluff:dialect:postgres
-- (its duckdb dialect does not know grouping sets)
{% set set_keys = ranking_set() %}
{% set own_keys = (set_keys + ['scope_id']) | join(', ') %}
{% set pool_keys = set_keys + ['scope_id', 'stratum_level'] + stratum_keys() %}
{% set strata = contact_strata() %}

with

grouped as (

    select
        {{ own_keys }},
        {{ stratum_keys() | join(', ') }},
        {{ summed_counts() }}
    from {{ ref('ranking_strata') }}
    group by grouping sets (
        {% for keys in strata -%}
            ({{ own_keys }}{{ ', ' if keys }}{{ keys | join(', ') }}){{ "," if not loop.last }}
        {% endfor %}
    )

),

own as (

    -- A key is never null, so null says: not grouped by.
    select
        {{ own_keys }},
        case
            {% for keys in strata if keys -%}
                when {{ keys | join(' is not null and ') }} is not null then {{ loop.index }}
            {% endfor -%}
            else {{ strata | length }}
        end as stratum_level,
        {% for key in stratum_keys() -%}
            coalesce({{ key }}, 'all') as {{ key }},
        {% endfor -%}
        responses,
        promoters,
        passives,
        detractors
    from grouped

),

everyone as (

    select
        {{ set_keys | join(', ') }},
        stratum_level,
        {{ stratum_keys() | join(', ') }},
        {{ summed_counts() }}
    from own
    group by {{ set_keys | join(', ') }}, stratum_level, {{ stratum_keys() | join(', ') }}

),

others as (

    select
        own.{{ pool_keys | join(',
        own.') }},
        everyone.responses - own.responses as responses,
        everyone.promoters - own.promoters as promoters,
        everyone.passives - own.passives as passives,
        everyone.detractors - own.detractors as detractors
    from own
    inner join everyone
        on
            {{ same_set('own', 'everyone', set_keys + ['stratum_level'] + stratum_keys()) }}

)

select * from others
-- Of all contacts together the others' score is taken however few they are.
where
    responses >= {{ var('nps_min_stratum_responses') }}
    or (stratum_level = {{ strata | length }} and responses > 0)
