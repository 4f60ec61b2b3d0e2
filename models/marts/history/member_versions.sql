{% set attributes = ['member_name', 'parent_id', 'site', 'team'] %}

with

seen as (

    select * from {{ ref('state_seen_members') }}

),

changes as (

    select * from {{ ref('unpublished_member_changes') }}

),

versions as (

    select
        seen.member_type,
        seen.member_id,
        {{ prefixed(attributes, 'seen') }},
        seen.valid_from,
        coalesce(seen.valid_to, changes.changed_at) as valid_to,
        seen.valid_from_publication
    from seen
    left join changes
        on
            seen.member_type = changes.member_type
            and seen.member_id = changes.member_id
            and changes.was_seen
    union all
    select
        member_type,
        member_id,
        {{ attributes | join(',
        ') }},
        changed_at as valid_from,
        null as valid_to,
        null as valid_from_publication
    from changes
    where is_there

),

numbered as (

    select
        *,
        row_number() over (
            partition by member_type, member_id order by valid_from, valid_to nulls last
        ) as version_number
    from versions
    -- Without data there is no moment to begin at; and what held for no time held never.
    where
        valid_from is not null
        and (valid_to is null or valid_from < valid_to)

)

select
    member_type,
    member_id,
    cast(version_number as integer) as version_number,
    {{ attributes | join(',
    ') }},
    -- What it was before it was first seen nobody recorded: the first version reaches back.
    case
        when version_number = 1 then {{ instant_of_var('nps_earliest') }} else valid_from
    end as valid_from,
    valid_to,
    coalesce(valid_to, timestamp '9999-12-31 00:00:00') as valid_until,
    valid_to is null as is_current,
    valid_from_publication
from numbered
