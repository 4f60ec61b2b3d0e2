{{ superseded_versions('departments', key=['department_id']) }}
