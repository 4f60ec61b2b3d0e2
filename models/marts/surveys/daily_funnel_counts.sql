-- sqlfluff:dialect:postgres
-- (its duckdb dialect does not know grouping sets)
{% set scopes = survey_scopes() %}
{% set keys = scopes.values() | select | list %}

with

invitations as (

    select * from {{ ref('invitation_stages') }}

),

-- One reading of the invitations for all scopes. A key is never null, so null says: not grouped by.
grouped as (

    select
        {% for key in keys -%}
            {{ key }},
        {% endfor -%}
        survey_type,
        sent_date,
        count(*) as sent,
        {{ counted_stages() }}
    from invitations
    group by grouping sets (
        {% for key in scopes.values() -%}
            (survey_type, sent_date{{ ", " ~ key if key }}){{ "," if not loop.last }}
        {% endfor %}
    )

)

select
    case
        {% for scope, key in scopes.items() if key -%}
            when {{ key }} is not null then '{{ scope }}'
        {% endfor -%}
        else 'company'
    end as scope_type,
    coalesce({{ keys | join(', ') }}, 'all') as scope_id,
    survey_type,
    sent_date,
    {{ funnel_counts().keys() | join(',\n    ') }}
from grouped
