{{ superseded_versions('follow_ups', key=['follow_up_id']) }}
