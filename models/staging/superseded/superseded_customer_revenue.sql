{{ superseded_versions('customer_revenue', key=['customer_id', 'month'], has_updated_at=false) }}
