{{ period_counts(
    'daily_contact_counts',
    date_column='contact_date',
    keys=['scope_type', 'scope_id'],
    counts=['contacts', 'contacts_of_known_outcome', 'resolved', 'timed_contacts'],
    sums=['handle_seconds_total', 'handle_seconds_squared'],
    with_days=false,
) }}
