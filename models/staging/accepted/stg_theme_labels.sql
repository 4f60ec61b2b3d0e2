with

labels as (

    select * from {{ source('labels', 'theme_labels') }}

)

select
    response_id,
    theme,
    max(likelihood) as likelihood,
    max(classifier) as classifier
from labels
where
    response_id is not null
    and theme is not null
group by response_id, theme
