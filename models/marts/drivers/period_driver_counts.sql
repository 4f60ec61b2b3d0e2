{{ period_counts(
    'monthly_driver_counts',
    date_column='month_start',
    keys=['scope_type', 'scope_id', 'survey_type', 'contact_reason', 'driver', 'band'],
    counts=['responses', 'promoters', 'passives', 'detractors'],
    shortest='month',
) }}
