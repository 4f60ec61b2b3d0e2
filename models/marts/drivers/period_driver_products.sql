{% set known = [] %}
{% for place in importance_places() %}
    {% do known.append('has_' ~ place) %}
{% endfor %}
{{ period_counts(
    'monthly_driver_products',
    date_column='month_start',
    keys=['scope_type', 'scope_id', 'survey_type'] + known,
    counts=importance_sums().keys() | list,
    shortest='month',
) }}
