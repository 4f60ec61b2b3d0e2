{{ period_counts(
    'daily_rollup_counts',
    date_column='period_date',
    keys=['department_id', 'survey_type'],
    counts=['responses', 'promoters', 'passives', 'detractors'],
) }}
