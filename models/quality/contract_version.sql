select
    '1.0.0' as contract_version,
    '{{ dbt_version }}' as built_with_dbt,
    '{{ var("nps_timezone") }}' as nps_timezone,
    '{{ var("nps_period_basis") }}' as nps_period_basis,
    {{ var('nps_min_responses') }} as nps_min_responses,
    {{ var('nps_min_stratum_responses') }} as nps_min_stratum_responses,
    '{{ var("agent_identity") }}' as agent_identity,
    as_of
from {{ ref('as_of') }}
