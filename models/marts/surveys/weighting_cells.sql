{% set cell = weighting_margins() %}
{% set counts = [
    'contacts', 'answered_contacts', 'responses', 'promoters', 'passives', 'detractors',
] %}
{% set lengths = ['month', 'quarter', 'year'] %}

with

as_of as (

    select * from {{ ref('as_of') }}

),

monthly as (

    {% for scope_type, scope_id in {'department': 'department_id', 'company': "'all'"}.items() -%}
        select
            '{{ scope_type }}' as scope_type,
            {{ scope_id }} as scope_id,
            month_start,
            {{ cell | join(',\n            ') }},
            {{ counts | join(',\n            ') }}
        from {{ ref('monthly_contact_cells') }}
        {{- "
        union all
        " if not loop.last }}
    {% endfor %}

),

periods as (

    {% for period_type in lengths -%}
        select
            monthly.*,
            '{{ period_type }}' as period_type,
            {{ period_start(period_type, 'month_start') }} as period_start,
            {{ period_end(period_type, period_start(period_type, 'month_start')) }} as period_end
        from monthly
        union all
    {% endfor -%}
    select
        monthly.*,
        'all' as period_type,
        as_of.first_response_date as period_start,
        as_of.last_response_date as period_end
    from monthly
    cross join as_of

),

summed as (

    select
        scope_type,
        scope_id,
        period_type,
        period_start,
        period_end,
        {{ cell | join(',\n        ') }},
        {{ summed_bigints(counts) }}
    from periods
    group by
        scope_type,
        scope_id,
        period_type,
        period_start,
        period_end,
        {{ cell | join(', ') }}

),

-- A group that nobody answered in has nothing to weight.
with_answers as (

    select
        *,
        sum(responses) over (
            partition by scope_type, scope_id, period_type, period_start
        ) as group_responses
    from summed

)

select
    scope_type,
    scope_id,
    period_type,
    period_start,
    period_end,
    {{ cell | join(',\n    ') }},
    {{ counts | join(',\n    ') }}
from with_answers
where group_responses > 0
