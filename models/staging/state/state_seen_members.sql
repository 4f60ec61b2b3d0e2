{{ config(materialized='ephemeral') }}

-- A view would break in a warehouse file that is opened without the state, a copy would be a second
-- truth.
select
    member_type,
    member_id,
    member_name,
    parent_id,
    site,
    team,
    valid_from,
    valid_to,
    valid_from_publication,
    valid_to_publication
from {{ source('state', 'seen_members') }}
