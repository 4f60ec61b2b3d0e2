{{ config(materialized='ephemeral') }}

-- A view would break in a warehouse file that is opened without the state, a copy would be a second
-- truth.
select
    metric_version,
    rule_name,
    rule_key,
    rule_value
from {{ source('state', 'metric_rules') }}
