{{ period_counts(
    'daily_restated_counts',
    date_column='period_date',
    keys=['scope_type', 'scope_id', 'survey_type', 'publication_number'],
    counts=movement_columns(),
) }}
