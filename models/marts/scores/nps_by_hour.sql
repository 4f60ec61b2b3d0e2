{{ score_mart(
    'weekday_hour',
    keys=[
        'cast(scope_id as integer) as weekday',
        'cast(second_scope_id as integer) as hour',
    ],
) }}
