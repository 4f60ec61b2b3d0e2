{% set key = ['department_id', 'survey_type', 'period_date', 'publication_number'] %}
{% set cell = ['department_id', 'survey_type', 'period_date', 'nps_category', 'responses'] %}
{% set cell_names = cell | join(',
        ') %}

with

published as (

    select * from {{ ref('state_published_answers') }}

),

unpublished as (

    select * from {{ ref('unpublished_changes') }}

),

movements as (

    select
        {{ cell_names }},
        valid_from_publication as publication_number,
        case opened_as when 'arrived' then 'late' else opened_as || '_in' end as reason
    from published
    union all
    select
        {{ cell_names }},
        valid_to_publication as publication_number,
        case closed_as when 'deleted' then 'deleted' else closed_as || '_out' end as reason
    from published
    where valid_to_publication is not null
    {% for side, changes in {'in': "'opened', 'passed'", 'out': "'closed', 'passed'"}.items() -%}
        union all
        select
            {{ prefixed(cell, 'unpublished') }},
            metric_version.last_publication_number + 1 as publication_number,
            case
                when unpublished.reason = 'arrived' then 'late'
                when unpublished.reason = 'deleted' then 'deleted'
                {% if side == 'out' -%}
                    when unpublished.change_type = 'passed' then 'definition_out'
                {% endif -%}
                else unpublished.reason || '_{{ side }}'
            end as reason
        from unpublished
        cross join {{ ref('metric_version') }} as metric_version
        where unpublished.change_type in ({{ changes }})
    {% endfor %}
),

counted as (

    select
        {{ key | join(',
        ') }},
        {% for reason in restatement_reasons() -%}
            {%- for count in restated_counts() -%}
                cast(sum(case
                    when
                        reason = '{{ reason }}'
                        {% if count != 'responses' -%}
                            and nps_category = '{{ count[:-1] }}'
                        {% endif -%}
                        then responses
                    else 0
                end) as bigint) as {{ reason }}_{{ count }},
            {% endfor -%}
        {%- endfor %}
        count(*) as movements
    from movements
    -- Another score of the same category moves no count.
    where reason not like 'rescored%'
    group by {{ key | join(', ') }}

)

select
    'department' as scope_type,
    department_id as scope_id,
    survey_type,
    period_date,
    publication_number,
    {{ movement_columns() | join(',
    ') }}
from counted
union all
select
    'company' as scope_type,
    'all' as scope_id,
    survey_type,
    period_date,
    publication_number,
    {{ summed_bigints(movement_columns()) }}
from counted
group by survey_type, period_date, publication_number
