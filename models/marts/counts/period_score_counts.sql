{{ period_counts(
    'daily_score_counts',
    date_column='period_date',
    keys=['scope_type', 'scope_id', 'survey_type'],
    counts=['responses'] + answer_count_columns(),
    with_days=false,
) }}
