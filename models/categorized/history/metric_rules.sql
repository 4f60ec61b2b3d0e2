{{ config(materialized='table') }}

with

rules as (

    select
        'nps_categories' as rule_name,
        cast(score as {{ engine_type('varchar') }}) as rule_key,
        category as rule_value
    from {{ ref('nps_categories') }}
    union all
    select
        'nps_bands' as rule_name,
        band as rule_key,
        'above ' || coalesce({{ text_of_double('above') }}, 'any')
        || ' up to ' || coalesce({{ text_of_double('up_to') }}, 'any') as rule_value
    from {{ ref('nps_bands') }}
    union all
    select
        'channel_aliases' as rule_name,
        lower({{ trimmed('alias') }}) as rule_key,
        {{ trimmed('channel') }} as rule_value
    from {{ ref('channel_aliases') }}
    union all
    -- By its digest: the rules are kept for good, and a response must be able to go from there.
    select
        'excluded_responses' as rule_name,
        {{ digest('response_id') }} as rule_key,
        'left out' as rule_value
    from {{ ref('excluded_responses') }}
    {% for name in definition_vars() -%}
        union all
        select
            'var' as rule_name,
            '{{ name }}' as rule_key,
            {{ text_literal(var(name) | string) }} as rule_value
    {% endfor %}
)

select
    rule_name,
    rule_key,
    -- A rule given twice is found by the tests of its seed.
    min(rule_value) as rule_value
from rules
where rule_key is not null
group by rule_name, rule_key
having min(rule_value) is not null
