{{ config(materialized='ephemeral') }}

-- A view would break in a warehouse file that is opened without the state, a copy would be a second
-- truth.
select
    publication_number,
    publication_id,
    as_of,
    as_of_date,
    metric_version,
    contract_version
from {{ source('state', 'publications') }}
