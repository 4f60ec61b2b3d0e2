with

said as (

    select * from {{ ref('said_themes') }}

),

classified as (

    select * from {{ ref('classified_themes') }}

)

select
    coalesce(said.response_id, classified.response_id) as response_id,
    coalesce(said.theme, classified.theme) as theme,
    said.response_id is not null as is_found_by_patterns,
    classified.response_id is not null as is_found_by_classifier,
    classified.likelihood,
    classified.classifier
from said
full outer join classified
    on
        said.response_id = classified.response_id
        and said.theme = classified.theme
