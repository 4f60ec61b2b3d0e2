select
    'survey_responses' as table_name,
    record_key,
    exclusion_reason as reason
from {{ ref('judged_survey_responses') }}
where exclusion_reason is not null
{% for table in raw_tables() -%}
    union all
    select
        '{{ table }}' as table_name,
        -- A key would tell who it was: the row's place does not.
        _source_file || ':' || cast(_source_row as {{ engine_type('varchar') }}) as record_key,
        left_out_reason as reason
    from {{ ref('flawed_' ~ table) }}
    where left_out_reason is not null
{% endfor %}
