with

accepted as (

    {{ newest_versions('initiatives') }}

)

select
    initiative_id,
    initiative_name,
    scope_type,
    scope_id,
    started_on,
    ended_on,
    _source_file,
    _source_row
from accepted
