with

members as (

    select * from {{ ref('members_now') }}

),

seen as (

    select * from {{ ref('state_seen_members') }}
    where valid_to is null

),

-- When something changed nobody recorded: between two publications, so by the data's time of the
-- later one. Where that went back, not before the earlier one: all departments change at once, so
-- that on no day some are in the old order and some in the new.
moments as (

    select as_of from {{ ref('as_of') }}
    union all
    select as_of from {{ ref('state_publications') }}

),

newest as (

    select max(as_of) as changed_at from moments

)

select
    coalesce(members.member_type, seen.member_type) as member_type,
    coalesce(members.member_id, seen.member_id) as member_id,
    seen.member_id is not null as was_seen,
    members.member_id is not null as is_there,
    members.member_name,
    members.parent_id,
    members.site,
    members.team,
    newest.changed_at
from members
full outer join seen
    on
        members.member_type = seen.member_type
        and members.member_id = seen.member_id
cross join newest
where
    members.member_id is null
    or seen.member_id is null
    {% for column in ['member_name', 'parent_id', 'site', 'team'] -%}
        or coalesce(members.{{ column }}, '') <> coalesce(seen.{{ column }}, '')
    {% endfor %}
