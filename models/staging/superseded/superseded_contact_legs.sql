{{ superseded_versions('contact_legs', key=['contact_id', 'leg_number'], has_updated_at=false) }}
