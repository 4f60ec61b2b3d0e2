{{ config(severity='warn') }}
-- What: every row of the seed declared_baselines names a member and survey type with answers.
-- When it matters: a mistyped row is no baseline, and the usual one is used instead.
-- How to resolve: operations correct the row, or deliver what it names.
with

members as (

    select * from {{ ref('baseline_windows') }}

),

-- What a row can name: one member or each of them, one survey type or each.
names as (

    {% for scope_id in ['scope_id', "'*'"] -%}
        {% set is_last_id = loop.last -%}
        {% for survey_type in ['survey_type', "'*'"] -%}
            select
                scope_type,
                {{ scope_id }} as scope_id,
                {{ survey_type }} as survey_type
            from members
            {{- "
            union all
            " if not (is_last_id and loop.last) }}
        {% endfor -%}
    {% endfor %}

)

select
    declared.scope_type,
    declared.scope_id,
    declared.survey_type
from {{ ref('declared_baselines') }} as declared
left join names
    on {{ same(scope_key(), 'declared', 'names') }}
where names.scope_type is null
