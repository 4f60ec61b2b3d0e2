-- sqlfluff:dialect:postgres
-- (its duckdb dialect does not know grouping sets)
{% set scopes = score_scopes() %}
{% set keys_of_responses = scopes.values() | sum(start=[]) | unique | list %}

with

responses as (

    select
        {% for key in keys_of_responses -%}
            cast({{ key }} as {{ dbt.type_string() }}) as {{ key }},
        {% endfor -%}
        period_date,
        survey_type,
        nps_category
    from {{ ref('fct_survey_responses') }}

),

-- One reading of the answers for all scopes. A key is never null, so null says: not grouped by.
grouped as (

    select
        {% for key in keys_of_responses -%}
            {{ key }},
        {% endfor -%}
        period_date,
        survey_type,
        {{ category_counts() }}
    from responses
    group by grouping sets (
        {% for keys in scopes.values() -%}
            ({{ (['period_date', 'survey_type'] + keys) | join(', ') }}){{ "," if not loop.last }}
        {% endfor %}
    )

),

named as (

    select
        case
            {% for keys_wanted in [2, 1] -%}
                {% for scope, keys in scopes.items() if keys | length == keys_wanted -%}
                    when {{ keys | join(' is not null and ') }} is not null then '{{ scope }}'
                {% endfor -%}
            {% endfor -%}
            else 'company'
        end as scope_type,
        grouped.*
    from grouped

)

select
    scope_type,
    case scope_type
        {% for scope, keys in scopes.items() if keys -%}
            when '{{ scope }}' then {{ keys[0] }}
        {% endfor -%}
        else 'all'
    end as scope_id,
    case scope_type
        {% for scope, keys in scopes.items() if keys | length == 2 -%}
            when '{{ scope }}' then {{ keys[1] }}
        {% endfor %}
    end as second_scope_id,
    survey_type,
    period_date,
    responses,
    promoters,
    passives,
    detractors
from named
