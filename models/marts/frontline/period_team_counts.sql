{{ period_counts(
    'daily_team_counts',
    date_column='period_date',
    keys=['team', 'agent_id', 'survey_type'],
    counts=['responses', 'promoters', 'passives', 'detractors'],
    with_days=false,
) }}
