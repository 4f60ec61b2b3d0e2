{{ config(materialized='ephemeral') }}

-- A view would break in a warehouse file that is opened without the state, a copy would be a second
-- truth.
select
    metric_version,
    fingerprint
from {{ source('state', 'metric_versions') }}
