{{ period_counts(
    'daily_scope_invitation_counts',
    date_column='sent_date',
    keys=['scope_type', 'scope_id', 'survey_type'],
    counts=['invitations', 'answered'],
    with_days=false,
) }}
