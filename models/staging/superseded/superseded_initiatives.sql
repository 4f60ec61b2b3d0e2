{{ superseded_versions('initiatives', key=['initiative_id'], has_updated_at=false) }}
