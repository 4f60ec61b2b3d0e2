select
    'survey_responses' as table_name,
    record_key,
    exclusion_reason as reason
from {{ ref('judged_survey_responses') }}
where exclusion_reason is not null
