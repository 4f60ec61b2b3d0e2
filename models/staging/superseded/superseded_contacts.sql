{{ superseded_versions('contacts', key=['contact_id']) }}
