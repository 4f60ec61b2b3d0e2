with

patterns as (

    select * from {{ ref('comment_themes') }}

)

-- All rows of a theme say the same of it, which a test of the seed sees to.
select
    theme,
    family,
    sign,
    owner_department_id,
    count(*) as patterns
from patterns
group by theme, family, sign, owner_department_id
