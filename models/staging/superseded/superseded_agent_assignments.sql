{{ superseded_versions('agent_assignments', key=['agent_id', 'valid_from'], has_updated_at=false) }}
