{{ period_counts(
    'daily_attributed_counts',
    date_column='period_date',
    keys=['attribution_policy', 'agent_id', 'survey_type'],
    counts=['answers'],
    sums=attributed_weights(),
    with_days=false,
) }}
