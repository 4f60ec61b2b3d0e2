{% set of_metric = ['survey_type', 'period_type', 'period_start', 'metric'] %}
-- What is told of the target: the department's own, else the company's.
{% set target_columns = {
    'scope_type': 'target_scope_type',
    'target_valid_from': 'target_valid_from',
    'due_on': 'due_on',
} %}

with

departments as (

    select * from {{ ref('dim_departments') }}

),

targets as (

    select * from {{ ref('target_ranges') }}

),

metrics as (

    select * from {{ ref('department_metrics') }}

),

targeted as (

    select
        metrics.*,
        coalesce(own.target, usual.target) as target,
        {% for column, shown in target_columns.items() -%}
            case
                when own.target is not null then own.{{ column }}
                else usual.{{ column }}
            end as {{ shown }},
        {% endfor -%}
        company.metric_value as company_value
    from metrics
    left join metrics as company
        on
            {{ same(of_metric, 'metrics', 'company') }}
            and company.scope_type = 'company'
    {% for relation, scope_type in {'own': 'department', 'usual': 'company'}.items() -%}
        left join targets as {{ relation }}
            on
                {{ relation }}.scope_type = '{{ scope_type }}'
                {% if scope_type == 'department' -%}
                    and metrics.scope_id = {{ relation }}.scope_id
                {% endif -%}
                and metrics.metric = {{ relation }}.metric
                and metrics.judged_on >= {{ relation }}.target_valid_from
                and metrics.judged_on < {{ relation }}.target_valid_until
    {% endfor -%}
    where metrics.scope_type = 'department'

)

select
    {{ period_columns('targeted') }},
    targeted.scope_id as department_id,
    departments.department_name,
    targeted.metric,
    targeted.observations,
    targeted.metric_value,
    targeted.value_ci_low,
    targeted.value_ci_high,
    targeted.is_reportable,
    targeted.lower_is_better,
    targeted.target,
    targeted.target_scope_type,
    targeted.target_valid_from,
    targeted.due_on,
    {{ target_gap('targeted.metric_value', 'targeted.target', 'targeted.lower_is_better') }}
        as gap,
    case
        when targeted.target is not null
            then {{ target_status(
                'targeted.value_ci_low', 'targeted.value_ci_high', 'targeted.target',
                is_decidable='targeted.is_complete and targeted.is_reportable',
                lower_is_better='targeted.lower_is_better',
            ) }}
    end as status,
    targeted.company_value
from targeted
left join departments
    on targeted.scope_id = departments.department_id
