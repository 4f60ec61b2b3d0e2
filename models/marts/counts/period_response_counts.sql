{{ period_counts(
    'daily_response_counts',
    date_column='period_date',
    keys=['scope_type', 'scope_id', 'second_scope_id', 'survey_type'],
    counts=['responses', 'promoters', 'passives', 'detractors'],
) }}
