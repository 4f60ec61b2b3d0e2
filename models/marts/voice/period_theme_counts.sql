{{ period_counts(
    'daily_theme_counts',
    date_column='period_date',
    keys=['scope_type', 'scope_id', 'survey_type', 'theme'],
    counts=['responses', 'promoters', 'passives', 'detractors'],
    with_days=false,
) }}
