with

accepted as (

    {{ newest_versions('evaluations') }}

)

select
    contact_id,
    criterion,
    score,
    evaluated_at,
    _source_file,
    _source_row
from accepted
