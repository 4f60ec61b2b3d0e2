{{ score_mart('contact_reason', keys=['scope_id as contact_reason']) }}
