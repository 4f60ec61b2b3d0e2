{{ period_counts(
    'monthly_path_counts',
    date_column='month_start',
    keys=['survey_type', 'transfer_path'],
    counts=['responses', 'promoters', 'passives', 'detractors'],
    shortest='month',
) }}
