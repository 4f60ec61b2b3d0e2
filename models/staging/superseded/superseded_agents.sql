{{ superseded_versions('agents', key=['agent_id']) }}
