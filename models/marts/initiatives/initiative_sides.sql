with

windows as (

    select * from {{ ref('initiative_windows') }}
    where window_key is not null

),

controls as (

    select * from {{ ref('initiative_controls') }}

)

select
    initiative_id,
    window_key,
    scope_type,
    scope_id,
    false as is_control
from windows
where {{ is_a_member('scope_id') }}
union all
select
    controls.initiative_id,
    windows.window_key,
    controls.scope_type,
    controls.control_id as scope_id,
    true as is_control
from controls
inner join windows
    on controls.initiative_id = windows.initiative_id
