{{ superseded_versions('evaluations', key=['contact_id', 'criterion'], has_updated_at=false) }}
