{{ score_mart(
    'department_channel',
    keys=['scope_id as department_id', 'second_scope_id as channel'],
) }}
