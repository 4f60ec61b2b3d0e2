with

versions as (

    select * from {{ ref('member_versions') }}
    where member_type = 'department'
    union all
    select
        'department' as member_type,
        'unknown' as member_id,
        1 as version_number,
        'Unknown' as member_name,
        null as parent_id,
        null as site,
        null as team,
        {{ instant_of_var('nps_earliest') }} as valid_from,
        null as valid_to,
        timestamp '9999-12-31 00:00:00' as valid_until,
        true as is_current,
        null as valid_from_publication

),

departments as (

    select * from {{ ref('dim_departments') }}

)

select
    versions.member_id as department_id,
    versions.version_number,
    versions.valid_from,
    versions.valid_to,
    {{ local_date('versions.valid_from') }} as valid_from_on,
    {{ local_date('versions.valid_until') }} as valid_until_on,
    versions.is_current,
    versions.member_name as department_name,
    versions.parent_id as parent_department_id,
    versions.site,
    departments.department_name as department_name_today,
    departments.parent_department_id as parent_department_id_today,
    departments.site as site_today,
    departments.department_id is not null as is_delivered_today,
    versions.valid_from_publication as publication_number
from versions
left join departments
    on versions.member_id = departments.department_id
