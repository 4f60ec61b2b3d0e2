{{ config(severity='warn') }}
-- What: every department that the seed comment_themes names as the owner of a theme is delivered.
-- When it matters: a pain point that is handed to nobody.
-- How to resolve: operations correct owner_department_id in comment_themes, or deliver it.
select
    themes.theme,
    themes.owner_department_id
from {{ ref('themes') }} as themes
left join {{ ref('dim_departments') }} as departments
    on themes.owner_department_id = departments.department_id
where
    themes.owner_department_id is not null
    and departments.department_id is null
