{{ accepted_contacts(newest_versions('contacts')) }}
