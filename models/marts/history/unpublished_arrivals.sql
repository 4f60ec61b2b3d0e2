{% set key = ['survey_type', 'period_date', 'department_id', 'score'] %}
{% set key_names = key | join(',
    ') %}

with

arrived as (

    select
        *,
        row_number() over (partition by {{ key | join(', ') }} order by response_id) as place
    from {{ ref('unpublished_answers') }}
    where was_survey_type is null

),

together as (

    select * from {{ ref('answers_of_forgotten') }}

)

select
    'opened' as change_type,
    case when arrived.was_listed then 'definition' else 'arrived' end as reason,
    arrived.response_id,
    {{ prefixed(key, 'arrived') }},
    arrived.nps_category,
    cast(1 as bigint) as responses
from arrived
left join together
    on {{ same(key, 'arrived', 'together') }}
where arrived.place > coalesce(together.matches, 0)
union all
select
    'closed' as change_type,
    'deleted' as reason,
    null as response_id,
    {{ key_names }},
    was_nps_category as nps_category,
    responses - matches as responses
from together
where responses > matches
union all
{% for change, category in {'closed': 'was_nps_category', 'opened': 'nps_category'}.items() -%}
    select
        '{{ change }}' as change_type,
        'definition' as reason,
        null as response_id,
        {{ key_names }},
        {{ category }} as nps_category,
        matches as responses
    from together
    where
        matches > 0
        and was_nps_category <> nps_category
    {{- "
union all
" if not loop.last }}
{% endfor %}
