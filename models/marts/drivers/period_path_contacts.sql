{{ period_counts(
    'monthly_path_contacts',
    date_column='month_start',
    keys=['transfer_path'],
    counts=['contacts'],
    shortest='month',
) }}
