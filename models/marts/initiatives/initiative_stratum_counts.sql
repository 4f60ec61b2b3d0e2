{% set strata = ['initiative_id', 'is_after', 'contact_reason', 'channel'] %}

with

counted as (

    select
        survey_type,
        {{ strata | join(',
        ') }},
        {{ category_counts() }}
    from {{ ref('initiative_answers') }}
    group by survey_type, {{ strata | join(', ') }}

)

select * from counted
union all
select
    'all' as survey_type,
    {{ strata | join(',
    ') }},
    {{ summed_counts() }}
from counted
group by {{ strata | join(', ') }}
