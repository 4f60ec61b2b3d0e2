with

patterns as (

    select * from {{ ref('comment_themes') }}

)

-- All rows of a theme say the same of it, which the seed's tests see to.
select
    theme,
    min(family) as family,
    min(sign) as sign,
    min(owner_department_id) as owner_department_id,
    count(*) as patterns
from patterns
group by theme
